import { shown, UserError } from '../../base/errors.ts';
import { countOfElements, targetsLike } from '../dataset.ts';
import type { Dataset, RawLabels, RawSplit, TargetValues } from '../dataset.ts';
import { chosenRows } from '../storage/sample-storage.ts';
import { targetsOf } from '../targets/registry.ts';

/** Option of every file reader: whether it reads labels. */
export interface LabelsRead {
  /** The files need no labels, and labels in them are ignored. */
  readonly withoutLabels?: boolean | undefined;
}

/** Labels of `count` samples without one. */
export function noLabels(count: number): RawLabels & { readonly kind: 'index' } {
  return { kind: 'index', values: new Int32Array(count).fill(-1) };
}

/** Labels of a split, and which samples have one. */
export interface Presence {
  /** [count] 1 or 0; undefined if all have one. */
  readonly flags: Uint8Array | undefined;
  readonly count: number;
  /** Number of samples with a label. */
  readonly known: number;
  /** Ids of all samples, see `RawSplit`. */
  readonly ids: Int32Array | undefined;
  /** Labels and ids of the samples with a label only; `samples` of all. */
  readonly raw: RawSplit;
  /** Place of the first sample without a label, such as `x.csv:7`. */
  readonly noneAt: string | undefined;
}

/** Finds the samples that have a label. `UserError` for a sample with only some of its labels. */
export function labelPresence(raw: RawSplit): Presence {
  const { labels, ids, source } = raw;
  const width = labels.kind === 'numbers' ? labels.width : 1;
  const count = labels.values.length / width;
  const isNone = emptyAt(raw);
  const kept: number[] = [];
  let first: number | undefined;
  for (let row = 0; row < count; row++) {
    if (!isNone(row)) kept.push(row);
    else first ??= row;
  }
  if (first === undefined) return { flags: undefined, count, known: count, ids, raw, noneAt: undefined };
  const flags = new Uint8Array(count);
  for (const row of kept) flags[row] = 1;
  const rows = Int32Array.from(kept);
  const noneAt = placeOfNone(labels) ?? `${source}: sample ${ids?.[first] ?? first}`;
  const labelledRaw = { ...raw, labels: chosenLabels(labels, rows), ids: rows.map((row) => ids?.[row] ?? row) };
  return { flags, count, known: rows.length, ids, raw: labelledRaw, noneAt };
}

function placeOfNone(labels: RawLabels): string | undefined {
  return labels.kind === 'name' ? labels.noneAt : labels.kind === 'columns' ? labels.columns[0]!.noneAt : undefined;
}

/** True for a row without any label. */
function emptyAt({ labels, source, ids }: RawSplit): (row: number) => boolean {
  if (labels.kind === 'name') return (row) => labels.values[row]! === -1;
  // -1 may be a class of a support vector machine; together with a class 0 it is scikit-learn's mark for no label.
  if (labels.kind === 'index') {
    const isMark = labels.values.includes(0) || labels.values.every((value) => value === -1);
    return (row) => isMark && labels.values[row]! === -1;
  }
  const parts =
    labels.kind === 'columns'
      ? { width: labels.columns.length, isEmpty: (row: number, c: number) => labels.columns[c]!.values[row] === -1 }
      : {
          width: labels.width,
          isEmpty: (row: number, c: number) => Number.isNaN(labels.values[row * labels.width + c]),
        };
  return (row) => {
    let empty = 0;
    for (let c = 0; c < parts.width; c++) if (parts.isEmpty(row, c)) empty++;
    if (empty === 0 || empty === parts.width) return empty > 0;
    const c = Array.from({ length: parts.width }, (_, i) => i).find((i) => parts.isEmpty(row, i))!;
    const column = labels.kind === 'columns' ? labels.columns[c]! : undefined;
    const isFirst = column?.values.indexOf(-1) === row;
    const where = isFirst ? column.noneAt! : `${source}: sample ${ids?.[row] ?? row}`;
    const name = labels.kind === 'columns' ? `in ${shown(labels.names[c])}` : `number ${c}`;
    throw new UserError(
      `${where}: the label ${name} is empty, and others of the sample are not`,
      'A sample has all of its labels or none of them: complete it, or leave all of them empty.',
    );
  };
}

/** The labels of these rows. */
export function chosenLabels(labels: RawLabels, rows: Int32Array): RawLabels {
  const at = (values: Int32Array): Int32Array => rows.map((row) => values[row]!);
  if (labels.kind === 'numbers') {
    const { width } = labels;
    return {
      ...labels,
      values: Float32Array.from(
        { length: rows.length * width },
        (_, i) => labels.values[rows[Math.floor(i / width)]! * width + (i % width)]!,
      ),
    };
  }
  if (labels.kind === 'columns') {
    const columns = labels.columns.map((column) => ({ ...column, values: at(column.values) }));
    return { ...labels, columns, values: columns[0]!.values };
  }
  return { ...labels, values: at(labels.values) };
}

/** Expands the targets of the labelled samples to all samples; `flags` marks the labelled ones, and samples without a label get 0. */
export function spread(targets: TargetValues, flags: Uint8Array, width: number): TargetValues {
  const out = targetsLike(targets, flags.length * width);
  let from = 0;
  flags.forEach((flag, row) => {
    if (flag === 0) return;
    out.set(targets.subarray(from, from + width), row * width);
    from += width;
  });
  return out;
}

/** Number of samples with a label. */
export function labelledCount({ labelled, count }: Pick<Dataset, 'labelled' | 'count'>): number {
  return labelled === undefined ? count : labelled.reduce((sum, flag) => sum + flag, 0);
}

const subsets = new WeakMap<Dataset, Dataset>();

/** The samples with a label, from which a training without a teacher learns. */
export function labelledOf(dataset: Dataset): Dataset {
  const { labelled, ids } = dataset;
  if (labelled === undefined) return dataset;
  const known = subsets.get(dataset);
  if (known !== undefined) return known;
  const rows = Int32Array.from(ids.keys()).filter((row) => labelled[row] === 1);
  const subset = { ...datasetRows(dataset, rows), labelled: undefined, forTeacher: undefined };
  subsets.set(dataset, subset);
  return subset;
}

/** A data set of these rows only, with their ids; includes the teacher's form of the samples. */
export function datasetRows(dataset: Dataset, rows: Int32Array): Dataset {
  const { sampleShape, ids, labelled, forTeacher } = dataset;
  return {
    ...dataset,
    ...chosenRows(dataset, rows, countOfElements(sampleShape)),
    count: rows.length,
    ids: rows.map((row) => ids[row]!),
    targets: targetsOf(dataset, rows),
    labelled: labelled && Uint8Array.from(rows, (row) => labelled[row]!),
    forTeacher: forTeacher && datasetRows(forTeacher, rows),
  };
}
