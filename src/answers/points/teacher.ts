import { fromHalfArray, sha256 } from '../../base/bytes.ts';
import { orClose } from '../../base/closing.ts';
import { UserError } from '../../base/errors.ts';
import { median } from '../../base/math/statistics.ts';
import { chanceOf, PLAIN, viewOf } from '../../data/batches/batches.ts';
import type { Dataset } from '../../data/dataset.ts';
import { originalsOf } from '../../data/pictures/originals.ts';
import { targetsOf } from '../../data/targets/registry.ts';
import { fileTeacher } from '../../distill/teachers/file-teacher.ts';
import type { FileTeacherSettings, FileTeacherSource, Runnable } from '../../distill/teachers/file-teacher.ts';
import type { Teacher } from '../../distill/teachers/teacher.ts';
import type { InferenceTensor } from '../../runtime/inference.ts';
import { ABSENT, labelledPoints, pointsWidth } from './layout.ts';
import { layoutOfOutputs } from './layouts.ts';
import type { PointsFile, Reading, Values } from './layouts.ts';
import { binsOf, decodedPoints, DECODED_WIDTH, deviationOf } from './simcc.ts';

/** Output of a file whose outputs are read as rows of logits over places. */
const ROWS = 'rows of points';
/** Most samples of the validation split that a file of coordinates is asked about. */
const ASKED = 256;
/** Samples in a call. */
const BATCH = 32;
/** Least number of labels of a point whose spread is its own. */
const ENOUGH = 8;
/** Median of the distance from the middle of a Gaussian of deviation 1. */
const MEDIAN_OF_GAUSSIAN = 0.6745;
/** Narrowest spread in places: a narrower Gaussian would lie between two places. */
const NARROWEST = 0.5;
/** Factor by which coordinates in the other order must lie nearer to the labels. */
const FAR_NEARER = 0.5;

/** Layout of the outputs of a file, found by asking the file about samples. */
interface Known {
  readonly reading: Reading;
  /** True if y stands before x. */
  readonly isSwapped: boolean;
  /** Deviation of the Gaussian of each point, in places. */
  readonly spread: readonly number[];
}

/**
 * A file whose outputs hold the places of points in any layout of `layouts.ts`, as a teacher that answers with rows of logits over the places of the data set.
 * Coordinates become Gaussians, whose deviation is that of the file's distances from the labels of the validation split, point by point; these labels also say
 * whether y stands before x. `UserError` for outputs that are no points, and for points of the data set that the file lacks.
 */
export async function teacherByShapes(source: FileTeacherSource, settings: FileTeacherSettings): Promise<Teacher> {
  const { name, runtime, dataset } = source;
  const bins = binsOf({ height: dataset.sampleShape[0]!, width: dataset.sampleShape[1]! });
  const width = dataset.classNames.length * 2 * bins;
  const { output, outputs, classes, intermediate } = settings;
  const [candidates, order] = await orClose(
    () =>
      [
        candidatesOf(runtime, name, { output, outputs, intermediate }),
        orderOfPoints(name, classes, dataset.classNames),
      ] as const,
    () => runtime.dispose(),
  );
  const isPlain = classes === undefined && candidates.length === 1 && typeof outputs === 'string';
  if (isPlain && candidates[0]!.shape.length === 2 && candidates[0]!.shape[1] === width)
    return fileTeacher(source, settings);
  const asked: { values: Readonly<Record<string, Values>>; size: PointsFile['size']; isChannelsLast: boolean }[] = [];
  let known: Known | undefined;
  const channels = settings.channels ?? dataset.sampleShape[2]!;
  const wrapped: Runnable = {
    inputs: runtime.inputs,
    outputs: [
      { name: ROWS, dtype: 'float32', shape: ['batch', width] },
      ...runtime.outputs.filter((one) => intermediate.includes(one.name)),
    ],
    device: runtime.device,
    dispose: () => runtime.dispose(),
    run: async (feeds, wanted) => {
      const read = known?.reading.outputs ?? candidates.map((one) => one.name);
      const found = await runtime.run(feeds, [...new Set([...wanted.filter((one) => one !== ROWS), ...read])]);
      const { shape } = Object.values(feeds)[0]!;
      const values = Object.fromEntries(read.map((one) => [one, floats(found[one]!)]));
      const n = values[read[0]!]!.shape[0]!;
      if (known === undefined) asked.push({ values, ...sizeIn(name, shape, channels) });
      const data = known === undefined ? new Float32Array(n * width) : rowsOf(known, values, bins);
      return { ...found, [ROWS]: { data, shape: [n, width] } };
    },
  };
  const asRows = { ...settings, output: ROWS, outputs: 'logits' as const, classes: undefined };
  const teacher = await fileTeacher({ ...source, runtime: wrapped }, asRows);
  return orClose(
    async () => {
      const [{ size, isChannelsLast }] = asked as [(typeof asked)[number]];
      const file = { name, count: order.count, order: order.places, size, isChannelsLast };
      const reading = layoutOfOutputs(
        { ...file, areLogits: outputs === 'logits', isStated: typeof outputs !== 'string' },
        candidates.map((one) => [one.name, joined(asked.map(({ values }) => values[one.name]!))] as const),
      );
      const usual = dataset.classNames.map(() => deviationOf(bins));
      known = { reading, isSwapped: false, spread: usual };
      if (reading.isUnsure) known = await measured(teacher, known, dataset, bins);
      const { isSwapped, spread } = known;
      const { kind, facts, outputs: read } = reading;
      const key = sha256(teacher.key, JSON.stringify({ kind, facts, read, order, isSwapped, spread }));
      return { ...teacher, key };
    },
    () => teacher.dispose(),
  );
}

/** Outputs that may hold places of points: the outputs that the recipe names, or without names all outputs of float type. `UserError` for a name without an output. */
function candidatesOf(
  { outputs }: Runnable,
  file: string,
  { output, outputs: named, intermediate }: Pick<FileTeacherSettings, 'output' | 'outputs' | 'intermediate'>,
): Runnable['outputs'] {
  const asked = output !== undefined ? [['output', output]] : typeof named === 'string' ? [] : namedAxes(named);
  const isFloat = ({ dtype }: Runnable['outputs'][number]): boolean => dtype === 'float32' || dtype === 'float16';
  const floats = outputs.filter((one) => isFloat(one) && !intermediate.includes(one.name));
  const has = `It has: ${floats.map((one) => one.name).join(', ') || 'no outputs of real numbers'}.`;
  if (asked.length === 0 && floats.length > 0) return floats;
  if (asked.length === 0) throw new UserError(`${file}: expected outputs of real numbers, received none`, has);
  return asked.map(([key, wanted]) => {
    const found = floats.find((one) => one.name === wanted);
    if (found !== undefined) return found;
    const where = key === 'output' ? 'teacher.output' : `teacher.outputs.${key!}`;
    throw new UserError(`${where}: ${file} has no output ${wanted!} of real numbers`, has);
  });
}

/** Outputs of columns and of rows as the recipe names them. `UserError` for other keys. */
function namedAxes(named: Readonly<Record<string, string>>): [string, string][] {
  const { x, y, ...others } = named;
  if (x !== undefined && y !== undefined && Object.keys(others).length === 0)
    return [
      ['x', x],
      ['y', y],
    ];
  throw new UserError(
    `teacher.outputs: expected the outputs x and y of points, received ${Object.keys(named).join(', ')}`,
    'Write `outputs: { x: NAME, y: NAME }`: rows over columns, then rows over rows of the picture.',
  );
}

/** Number of a file's points, and the index of each point of the data set among them. `UserError` for a point that the file lacks. */
function orderOfPoints(
  file: string,
  classes: readonly string[] | undefined,
  own: readonly string[],
): { readonly count: number; readonly places: readonly number[] } {
  const names = classes ?? own;
  const bad = own.find((name) => names.filter((other) => other === name).length !== 1);
  if (bad === undefined) return { count: names.length, places: own.map((name) => names.indexOf(name)) };
  throw new UserError(
    `teacher.classes: expected every point of the data set once among the ${names.length} points of ${file}, received ${names.includes(bad) ? `${bad} twice` : `none named ${bad}`}`,
    'Name the points of the file in its order and in the words of the data set; points that the data set lacks may have any name.',
  );
}

/** Size and order of the axes of pictures of this shape, [n, channels, height, width] or [n, height, width, channels]. */
function sizeIn(
  file: string,
  shape: readonly number[],
  channels: number,
): { readonly size: PointsFile['size']; readonly isChannelsLast: boolean } {
  if (shape.length !== 4)
    throw new UserError(
      `${file}: expected pictures [n, height, width, channels] or [n, channels, height, width] as its input, received [${shape.join(', ')}]`,
      'Use a file that takes pictures.',
    );
  const isChannelsLast = shape[3] === channels && shape[1] !== channels;
  const [height, width] = (isChannelsLast ? shape.slice(1, 3) : shape.slice(2)) as [number, number];
  return { size: { height, width }, isChannelsLast };
}

function floats({ data, shape }: InferenceTensor): Values {
  return { data: data instanceof Uint16Array ? fromHalfArray(data) : (data as Float32Array), shape };
}

/** Values of several calls, one after another. */
function joined(parts: readonly Values[]): Values {
  const [{ shape }] = parts as [Values];
  const data = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return { data, shape: [parts.reduce((sum, part) => sum + part.shape[0]!, 0), ...shape.slice(1)] };
}

/** Rows of logits of a file's values, [n, points, 2, bins]. */
function rowsOf(
  { reading, isSwapped, spread }: Known,
  values: Readonly<Record<string, Values>>,
  bins: number,
): Float32Array {
  const read = reading.outputs.map((name) => values[name]!);
  const rows = reading.logits?.(read, bins) ?? gaussians(reading.places!(read), spread, bins);
  if (!isSwapped) return rows;
  return rows.map((_, i) => rows[Math.floor(i / bins) % 2 === 0 ? i + bins : i - bins]!);
}

/** Logits of Gaussians around places [n, points, 2], which are shares of the picture's sides. */
function gaussians(places: Float32Array, spread: readonly number[], bins: number): Float32Array {
  const out = new Float32Array(places.length * bins);
  places.forEach((place, row) => {
    const deviation = spread[(row >> 1) % spread.length]!;
    for (let i = 0; i < bins; i++) out[row * bins + i] = -0.5 * ((i + 0.5 - place * bins) / deviation) ** 2;
  });
  return out;
}

/** The order of the axes and the spread of each point by the labels of the data; without enough labels x is first, and the spread is that of labels. */
async function measured(teacher: Teacher, known: Known, dataset: Dataset, bins: number): Promise<Known> {
  const { labelled, count, classNames } = dataset;
  const all = Array.from({ length: count }, (_, row) => row).filter((row) => labelled?.[row] !== 0);
  const n = Math.min(ASKED, all.length);
  const rows = Int32Array.from({ length: n }, (_, i) => all[Math.floor((i * all.length) / n)]!);
  const targets = targetsOf(dataset, rows);
  const width = pointsWidth(classNames.length);
  // Distances of each point, in places, as answered and with the axes exchanged.
  const [plain, swapped] = [classNames.map((): number[] => []), classNames.map((): number[] => [])];
  for (let from = 0; from < n; from += BATCH) {
    const part = rows.subarray(from, from + BATCH);
    const original = originalsOf(dataset, part, chanceOf(PLAIN));
    const { logits } = await teacher.answer(viewOf(dataset, part, PLAIN), part.length, original);
    const found = decodedPoints(logits, bins);
    for (let i = 0; i < part.length; i++)
      labelledPoints(targets, (from + i) * width, classNames.length).forEach(({ x, y, visibility }, k) => {
        if (visibility === ABSENT) return;
        const at = (i * classNames.length + k) * DECODED_WIDTH;
        const [first, second] = [found[at]!, found[at + 1]!];
        plain[k]!.push(Math.abs(first - x) * bins, Math.abs(second - y) * bins);
        swapped[k]!.push(Math.abs(second - x) * bins, Math.abs(first - y) * bins);
      });
  }
  const labels = plain.flat().length / 2;
  if (labels < ENOUGH) return known;
  const isSwapped = median(swapped.flat()) < FAR_NEARER * median(plain.flat());
  const distances = isSwapped ? swapped : plain;
  const spreadOf = (own: readonly number[]): number => Math.max(NARROWEST, median(own) / MEDIAN_OF_GAUSSIAN);
  const usual = spreadOf(distances.flat());
  return { ...known, isSwapped, spread: distances.map((own) => (own.length / 2 < ENOUGH ? usual : spreadOf(own))) };
}
