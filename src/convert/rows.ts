import { UserError } from '../base/errors.ts';
import { npyFloats } from '../base/numpy.ts';
import type { NpyArray } from '../base/numpy.ts';
import type { Philox } from '../base/philox.ts';
import { calibrationBatch } from '../compress/quantize/observe.ts';
import type { Feeds } from '../compress/quantize/observe.ts';
import { typedAs } from '../graph/arrays.ts';
import type { Graph, TensorType } from '../graph/types.ts';

/** Most samples at once. */
export const BATCH = 32;

/** Largest whole number up to which all are exact in float32. */
const EXACT = 2 ** 24;

type Inputs = ReadonlyMap<string, TensorType>;

/** Samples of one input, one after another. */
export interface Rows {
  readonly values: Float32Array;
  /** [samples, ...], as the input is declared. */
  readonly shape: readonly number[];
}

/** Samples of a model of one input from a NumPy array as the model is fed. `file`: for messages; `floats`: reads the numbers of an array. */
export function rowsOfArray(array: NpyArray, inputs: Inputs, file: string, floats = npyFloats): Map<string, Rows> {
  const names = [...inputs.keys()];
  if (names.length > 1)
    throw new UserError(
      `${file}: expected arrays for ${names.join(', ')}, received one array`,
      `Save one for each input: numpy.savez('samples.npz', **{${names.map((name) => `'${name}': …`).join(', ')}}).`,
    );
  return new Map([...inputs].map(([name, type]) => [name, rowsOf(array, name, type, floats)]));
}

/**
 * Samples from NumPy arrays with the names of the inputs. A single input may also be called `x`, as in the archives that `limbeck compress` reads.
 * `parse`: reads the array of a name.
 */
export function rowsOfArrays(
  found: readonly string[],
  parse: (name: string) => NpyArray,
  inputs: Inputs,
  file: string,
  floats = npyFloats,
): Map<string, Rows> {
  const isOnly = inputs.size === 1;
  return new Map(
    [...inputs].map(([name, type]) => {
      const named = [name, ...(isOnly ? [...(found.length === 1 ? found : []), 'x'] : [])];
      const one = named.find((called) => found.includes(called));
      if (one !== undefined) return [name, rowsOf(parse(one), name, type, floats)];
      throw new UserError(
        `${file}: expected an array for each of the inputs ${[...inputs.keys()].join(', ')}, received ${found.join(', ') || 'none'}`,
        'Name the arrays as the inputs are: numpy.savez(file, **{name: array}).',
      );
    }),
  );
}

function rowsOf(array: NpyArray, name: string, { dtype, shape }: TensorType, floats: typeof npyFloats): Rows {
  const [calls = 0, ...ofCall] = array.shape;
  // Of an input of fixed sizes, such as the [26] weights of a mixture, an array [calls, 26] too.
  const own =
    ofCall.length > 0 && ofCall.join() === shape.join() ? [calls * ofCall[0]!, ...ofCall.slice(1)] : array.shape;
  const fits = own.length === shape.length && shape.every((dim, i) => i === 0 || dim === own[i]);
  if (!fits)
    throw new UserError(
      `${array.where}: expected an array [${['samples', ...shape.slice(1)].slice(0, shape.length).join(', ')}], received [${array.shape.join(', ')}]`,
      'Save the inputs as the model is fed: layout, size and normalization included.',
    );
  if (own[0] === 0)
    throw new UserError(`${array.where}: holds no samples`, 'Save some that are as what the model will be fed.');
  const values = floats(array);
  refuseInfinite(array, values);
  const large = dtype === 'float32' ? undefined : values.find((value) => Math.abs(value) > EXACT);
  if (large !== undefined)
    throw new UserError(
      `${array.where}: expected whole numbers up to ${EXACT} for the input ${name}, received ${large}`,
      'Larger ones are not exact in float32, in which samples are held.',
    );
  return { values, shape: own };
}

/** `UserError` for an array with numbers that are infinite or NaN. */
function refuseInfinite({ where, shape }: NpyArray, values: Float32Array): void {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at === -1) return;
  const size = values.length / (shape[0] ?? 1);
  throw new UserError(
    `${where}: sample ${Math.floor(at / size)}: value ${at % size} is ${values[at]!}, expected a finite float32 number`,
    'Clean the data first; NaN and infinity cannot be trained on.',
  );
}

/**
 * Samples in the arrays. One is a row of every input that takes any number of rows; for a model of fixed sizes it is what the model is fed
 * at once. An input that holds one of them while others have more is fed the same each time.
 */
export function countOf(inputs: Inputs, all: ReadonlyMap<string, Rows>): number {
  const counts = [...inputs.keys()].map((name) => countIn(inputs, all, name));
  const open = openOf(inputs);
  const other = open.find((name) => countIn(inputs, all, name) !== countIn(inputs, all, open[0]!));
  if (other !== undefined)
    throw new UserError(
      `expected as many samples for ${other} as for ${open[0]!}, which are ${countIn(inputs, all, open[0]!)}, received ${countIn(inputs, all, other)}`,
      'Save one row of each array for each sample.',
    );
  const batches = open.length > 0 ? 1 : Math.max(...counts);
  const short = [...inputs.keys()].find((name, i) => !open.includes(name) && counts[i] !== batches && counts[i] !== 1);
  if (short !== undefined)
    throw new UserError(
      `expected ${batches} batches for the input ${short}, or one for all, received ${countIn(inputs, all, short)}`,
      `The model takes ${unitOf(inputs.get(short)!)} at once: save a multiple of it.`,
    );
  return Math.max(...counts);
}

const openOf = (inputs: Inputs): string[] =>
  [...inputs].filter(([, { shape }]) => typeof shape[0] === 'string').map(([name]) => name);

/** Rows that make up a sample of an input. */
const unitOf = ({ shape: [first] }: TensorType): number => (typeof first === 'number' ? first : 1);

const countIn = (inputs: Inputs, all: ReadonlyMap<string, Rows>, name: string): number =>
  Math.floor((all.get(name)!.shape[0] ?? 1) / unitOf(inputs.get(name)!));

/** Batches of the samples with these numbers, `batch` in each; a model of fixed sizes is fed them one by one. */
export function inBatches(
  inputs: Inputs,
  all: ReadonlyMap<string, Rows>,
  numbers: ArrayLike<number>,
  batch: number,
): Feeds[] {
  const size = openOf(inputs).length > 0 ? batch : 1;
  return Array.from({ length: Math.ceil(numbers.length / size) }, (_, i) => {
    const some = Array.from(numbers).slice(i * size, (i + 1) * size);
    return Object.fromEntries(
      [...inputs].map(([name, type]) => {
        const { values, shape } = all.get(name)!;
        const isOpen = typeof type.shape[0] === 'string';
        const chosen = isOpen || countIn(inputs, all, name) > 1 ? some : [0];
        const each = (values.length / (shape[0] ?? 1)) * unitOf(type);
        const data = new Float32Array(chosen.length * each);
        for (const [j, at] of chosen.entries()) data.set(values.subarray(at * each, (at + 1) * each), j * each);
        const rows = shape.length === 0 ? [] : [chosen.length * unitOf(type)];
        return [name, { data: typedAs(type.dtype, data), shape: [...rows, ...shape.slice(1)] }];
      }),
    );
  });
}

/** Samples that a file is calibrated with, and others that it is compared on. */
interface HeldOut {
  readonly calibration: readonly Feeds[];
  readonly check: readonly Feeds[];
}

export interface SplitRows extends HeldOut {
  /** Parts of few samples, each the check of a file that is calibrated with the other parts; empty where some are held out. */
  readonly folds: readonly HeldOut[];
  /** Samples that calibrate the file; 0 where nothing is calibrated. */
  readonly calibrated: number;
}

/** Fewest samples of which a quarter tells how the file answers others. */
const FEWEST_TO_SPLIT = 64;

/** Parts that fewer are cut into. */
const FOLDS = 4;

/**
 * Rows of an array that nothing says the order of: a quarter is held out for the check, drawn by `random`, and of fewer than
 * `FEWEST_TO_SPLIT` each quarter checks a file that the others calibrate, while all calibrate the file that is written. `most`: largest number of samples
 * that calibrate, and that check.
 */
export function splitRows(
  graph: Graph,
  arrays: ReadonlyMap<string, Rows>,
  { isCalibrated, most, random }: { readonly isCalibrated: boolean; readonly most: number; readonly random: Philox },
): SplitRows {
  const { inputs } = graph;
  const count = countOf(inputs, arrays);
  const batchesOf = (numbers: ArrayLike<number>): Feeds[] =>
    inBatches(inputs, arrays, numbers, calibrationBatch(graph, BATCH));
  const numbers = Array.from({ length: count }, (_, i) => i);
  const all = (some: readonly number[]): SplitRows => {
    const batches = batchesOf(some);
    return { calibration: batches, check: batches, folds: [], calibrated: 0 };
  };
  if (!isCalibrated) return all(numbers.slice(0, most));
  const few = Math.min(count, most);
  if (few < FEWEST_TO_SPLIT) {
    const used = numbers.slice(0, few);
    const folds = Array.from({ length: few === 1 ? 0 : Math.min(few, FOLDS) }, (_, fold) => ({
      calibration: batchesOf(used.filter((i) => i % FOLDS !== fold)),
      check: batchesOf(used.filter((i) => i % FOLDS === fold)),
    }));
    return { ...all(used), calibrated: few, folds };
  }
  const order = [...random.permutation(count)];
  const calibrated = Math.min(most, Math.floor((count * 3) / 4));
  return {
    calibrated,
    folds: [],
    calibration: batchesOf(order.slice(0, calibrated)),
    check: batchesOf(order.slice(calibrated, calibrated + most)),
  };
}
