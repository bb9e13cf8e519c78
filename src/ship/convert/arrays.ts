import { UserError } from '../../base/errors.ts';
import { readBytes } from '../../base/files.ts';
import type { Feeds } from '../../compress/quantize/observe.ts';
import { checkFinite } from '../../data/splits/checks.ts';
import { npySamples, parseNpy } from '../../data/readers/numpy/npy.ts';
import type { NpyArray } from '../../data/readers/numpy/npy.ts';
import { npyEntries } from '../../data/readers/numpy/zip.ts';
import type { TensorType } from '../../graph/types.ts';
import { typedAs } from '../../runtime/typed.ts';

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

/**
 * NumPy arrays as the model is fed: an .npy file for a model of one input, an .npz archive with an array for each. A single input may also be
 * called `x`, as in the archives that `limbeck compress` reads.
 */
export async function arraysFor(file: string, inputs: Inputs): Promise<Map<string, Rows>> {
  const names = [...inputs.keys()];
  const found = file.endsWith('.npz')
    ? await archived(file, names)
    : new Map([[names[0]!, parseNpy(await readBytes(file), file)]]);
  if (!file.endsWith('.npz') && names.length > 1)
    throw new UserError(
      `${file}: expected arrays for ${names.join(', ')}, received one array`,
      `Save one for each input: numpy.savez('samples.npz', **{${names.map((name) => `'${name}': …`).join(', ')}}).`,
    );
  return new Map([...inputs].map(([name, type]) => [name, rowsOf(found.get(name)!, name, type)]));
}

async function archived(file: string, names: readonly string[]): Promise<Map<string, NpyArray>> {
  const entries = await npyEntries(file);
  const all = new Map(Object.entries(entries).map(([name, data]) => [name.slice(0, -'.npy'.length), data]));
  const only = names.length === 1 && all.size === 1 ? [...all.values()][0] : undefined;
  return new Map(
    names.map((name) => {
      const data = all.get(name) ?? only ?? (names.length === 1 ? all.get('x') : undefined);
      if (data !== undefined) return [name, parseNpy(data, `${file}: ${name}`)];
      throw new UserError(
        `${file}: expected an array for each of the inputs ${names.join(', ')}, received ${[...all.keys()].join(', ') || 'none'}`,
        'Name the arrays as the inputs are: numpy.savez(file, **{name: array}).',
      );
    }),
  );
}

function rowsOf(array: NpyArray, name: string, { dtype, shape }: TensorType): Rows {
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
  const values = Float32Array.from(npySamples(array));
  checkFinite({ source: array.where, samples: values, sampleShape: array.shape.slice(1) });
  const large = dtype === 'float32' ? undefined : values.find((value) => Math.abs(value) > EXACT);
  if (large !== undefined)
    throw new UserError(
      `${array.where}: expected whole numbers up to ${EXACT} for the input ${name}, received ${large}`,
      'Larger ones are not exact in float32, in which samples are held.',
    );
  return { values, shape: own };
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
