import { UserError, shown } from '../../base/errors.ts';
import { taskRow } from '../../recipe/task.ts';
import type { TableOptions, WindowConfig } from '../config.ts';
import { sharedFloats } from '../dataset.ts';
import type { MissingValues, RawLabels, RawSplit } from '../dataset.ts';
import type { RoomGiven } from '../storage/memory-budget.ts';
import { missingOf } from '../splits/missing.ts';
import { chosenLabels } from './labelled.ts';

/** A table in time, as its reader gives it: a sample is a row. */
interface Rows extends RawSplit {
  readonly columns: readonly string[];
  readonly ids: Int32Array;
}

/** Rows from..to-1, which follow each other in one file and belong to one group. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly group: number;
}

interface WindowOptions extends Pick<TableOptions, 'task'>, RoomGiven {
  readonly window: WindowConfig;
}

/**
 * Windows of a table in time, each a sample [steps, channels]: the columns without the group are its channels. A window never holds rows of two
 * groups or files, nor rows between which one was dropped. `UserError` if no window fits; a note tells of rows that are in no window because fewer
 * than `steps` follow each other.
 */
export function cutIntoWindows(raw: RawSplit, { window, task, room }: WindowOptions): RawSplit {
  const rows = raw as Rows;
  const { steps, stride = steps } = window;
  const found = stretches(rows);
  const starts: number[] = [];
  const groups: number[] = [];
  for (const { from, to, group } of found)
    for (let start = from; start + steps <= to; start += stride) {
      starts.push(start);
      groups.push(group);
    }
  if (starts.length === 0) throw noWindow(rows, found, steps);
  const by = groupColumn(rows);
  const channels = rows.columns.map((_, i) => i).filter((i) => i !== by?.column);
  if (channels.length === 0)
    throw new UserError(`${rows.source}: no columns of numbers beside the group`, 'Check `label` and `ignore`.');
  const { samples: values, columns } = rows;
  const size = steps * channels.length;
  room?.demand(
    4 * size * starts.length,
    `${rows.source}: ${starts.length} windows of ${steps} rows`,
    'Raise window.stride, use fewer rows, or free memory.',
  );
  const samples = sharedFloats(size * starts.length);
  starts.forEach((start, i) => {
    let to = i * size;
    for (let row = start; row < start + steps; row++)
      for (const channel of channels) samples[to++] = values[row * columns.length + channel]!;
  });
  const labelled = Int32Array.from(starts, labelRow(rows.labels, window, task));
  const { files, notes = [], missing } = rows;
  return {
    ...rows,
    words: undefined,
    files: undefined,
    missing: missing && missingIn(missing, rows, { starts, steps, channels }),
    samples,
    sampleShape: [steps, channels.length],
    columns: channels.map((i) => columns[i]!),
    labels: chosenLabels(rows.labels, labelled),
    ids: Int32Array.from(starts.keys()),
    groups: { values: Int32Array.from(groups), names: by?.names ?? files!.map(({ file }) => file) },
    notes: [...notes, ...shortNote(rows, found, steps)],
  };
}

/** Missing values of the windows: a column for each channel, once for each row of the window without a value. */
function missingIn(
  missing: MissingValues,
  { ids }: Rows,
  {
    starts,
    steps,
    channels,
  }: { readonly starts: readonly number[]; readonly steps: number; readonly channels: readonly number[] },
): MissingValues {
  const pairs = starts.flatMap((start, window) =>
    [...ids.subarray(start, start + steps)].flatMap((id) =>
      [...missingOf(missing, id)].flatMap((column) => [window, channels.indexOf(column)]),
    ),
  );
  return Int32Array.from(pairs);
}

/** Column of the groups with its words; undefined if each file is a group. */
function groupColumn({ words = [] }: RawSplit): NonNullable<RawSplit['words']>[number] | undefined {
  return words[0];
}

function stretches(rows: Rows): readonly Stretch[] {
  const { ids, samples, columns, files = [] } = rows;
  const by = groupColumn(rows)?.column;
  const found: Stretch[] = [];
  let [from, file] = [0, 0];
  const groupOf = (row: number): number => (by === undefined ? file : samples[row * columns.length + by]!);
  for (let row = 0; row < ids.length; row++) {
    const group = groupOf(row);
    const isLast = row + 1 === ids.length;
    const isNextFile = !isLast && ids[row + 1]! >= (files[file + 1]?.firstRow ?? Infinity);
    const next = isNextFile ? file + 1 : file;
    const isEnd =
      isLast || isNextFile || ids[row + 1] !== ids[row]! + 1 || (by !== undefined && groupOf(row + 1) !== group);
    if (!isEnd) continue;
    found.push({ from, to: row + 1, group });
    [from, file] = [row + 1, next];
  }
  return found;
}

/**
 * Row whose label a window has, by its first row. `last`: its last one. `majority`: of the labels, and of rows without a label, the most frequent, and
 * of several the one seen last.
 */
function labelRow(labels: RawLabels, { steps, label }: WindowConfig, task: WindowOptions['task']) {
  const { hasClasses } = taskRow(task);
  if (label === 'majority' && !hasClasses)
    throw new UserError(
      `window.label: majority is for classes, received task: ${task!}`,
      'Set `label: last`: a window then has the label of its last row.',
    );
  const last = (start: number): number => start + steps - 1;
  if ((label ?? (hasClasses ? 'majority' : 'last')) === 'last' || labels.kind === 'numbers') return last;
  const { values } = labels;
  return (start: number): number => {
    const counts = new Map<number, number>();
    for (let row = start; row <= last(start); row++) counts.set(values[row]!, (counts.get(values[row]!) ?? 0) + 1);
    const most = Math.max(...counts.values());
    let row = last(start);
    while (counts.get(values[row]!)! < most) row--;
    return row;
  };
}

function noWindow(rows: Rows, found: readonly Stretch[], steps: number): UserError {
  const longest = found.reduce((most, { from, to }) => Math.max(most, to - from), 0);
  const of = groupColumn(rows) === undefined ? 'file' : 'group';
  return new UserError(
    `${rows.source}: window.steps: no ${steps} rows of one ${of} follow each other; the most are ${longest} of ${rows.ids.length} rows`,
    'Lower window.steps, or sort the rows by group and time: the rows of a window must follow each other in the file.',
  );
}

/** A note about stretches of too few rows. */
function shortNote(rows: Rows, found: readonly Stretch[], steps: number): readonly string[] {
  const short = found.filter(({ from, to }) => to - from < steps);
  const [first] = short;
  if (first === undefined) return [];
  const count = short.reduce((sum, { from, to }) => sum + to - from, 0);
  const by = groupColumn(rows);
  const name =
    by === undefined ? '' : ` of ${shown(by.names[first.group])}, which begins at ${by.firstAt[first.group]!}`;
  return [
    `${rows.source}: ${count} of ${rows.ids.length} rows are in no window: ${short.length} of ${found.length} stretches have fewer than ${steps} rows of one group in a row, the first ${first.to - first.from}${name}`,
  ];
}

/** Options with which the reader of a table reads the rows of windows. `UserError` for options that are for rows alone. */
export function refuseBeside({ window, categorical, shape, text }: Readonly<Record<string, unknown>>): void {
  const other = Object.entries({ categorical, shape, text }).find(([, value]) => value !== undefined);
  if (window === undefined || other === undefined) return;
  throw new UserError(
    `dataset.window: the rows of a window are numbers, received ${other[0]} too`,
    `Leave \`${other[0]}\` out: the shape of a sample is [steps, channels], and channels are columns of numbers.`,
  );
}
