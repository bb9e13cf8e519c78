import { UserError } from '../../base/errors.ts';
import { readBytes } from '../../base/files.ts';
import type { Feeds } from '../../compress/quantize/observe.ts';
import { checkFinite } from '../../data/checks.ts';
import { npySamples, parseNpy } from '../../data/npy.ts';
import type { NpyArray } from '../../data/npy.ts';
import { npyEntries } from '../../data/zip.ts';
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
  const bytes = await readBytes(file);
  const names = [...inputs.keys()];
  const found = file.endsWith('.npz')
    ? await archived(bytes, file, names)
    : new Map([[names[0]!, parseNpy(bytes, file)]]);
  if (!file.endsWith('.npz') && names.length > 1)
    throw new UserError(
      `${file}: expected arrays for ${names.join(', ')}, received one array`,
      `Save one for each input: numpy.savez('samples.npz', **{${names.map((name) => `'${name}': …`).join(', ')}}).`,
    );
  return new Map([...inputs].map(([name, type]) => [name, rowsOf(found.get(name)!, name, type)]));
}

async function archived(bytes: Uint8Array, file: string, names: readonly string[]): Promise<Map<string, NpyArray>> {
  const entries = await npyEntries(bytes, file);
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
  const fits = array.shape.length === shape.length && shape.every((dim, i) => i === 0 || dim === array.shape[i]);
  if (!fits)
    throw new UserError(
      `${array.where}: expected an array [${['samples', ...shape.slice(1)].slice(0, shape.length).join(', ')}], received [${array.shape.join(', ')}]`,
      'Save the inputs as the model is fed: layout, size and normalization included.',
    );
  if (array.shape[0] === 0)
    throw new UserError(`${array.where}: holds no samples`, 'Save some that are as what the model will be fed.');
  const values = Float32Array.from(npySamples(array));
  checkFinite({ source: array.where, samples: values, sampleShape: array.shape.slice(1) });
  const large = dtype === 'float32' ? undefined : values.find((value) => Math.abs(value) > EXACT);
  if (large !== undefined)
    throw new UserError(
      `${array.where}: expected whole numbers up to ${EXACT} for the input ${name}, received ${large}`,
      'Larger ones are not exact in float32, in which samples are held.',
    );
  return { values, shape: array.shape };
}

/**
 * Batches of `batch` samples, `most` samples in all. A model of a fixed batch size takes no other; an input that holds one batch while others
 * have more is fed the same each time.
 */
export function inBatches(inputs: Inputs, all: ReadonlyMap<string, Rows>, most: number, batch: number): Feeds[] {
  const sizeOf = (dim: number | string | undefined): number =>
    typeof dim === 'number' ? dim : dim === undefined ? 1 : batch;
  const sizes = new Map([...inputs].map(([name, { shape }]) => [name, sizeOf(shape[0])] as const));
  const count = (name: string): number => Math.min(most, all.get(name)!.shape[0] ?? 1);
  const open = [...inputs].filter(([, { shape }]) => typeof shape[0] === 'string').map(([name]) => name);
  const other = open.find((name) => count(name) !== count(open[0]!));
  if (other !== undefined)
    throw new UserError(
      `expected as many samples for ${other} as for ${open[0]!}, which are ${count(open[0]!)}, received ${count(other)}`,
      'Save one row of each array for each sample.',
    );
  const batchesOf = (name: string): number =>
    open.includes(name) ? Math.ceil(count(name) / batch) : Math.floor(count(name) / sizes.get(name)!);
  const batches = Math.max(...[...inputs.keys()].map(batchesOf));
  const short = [...inputs.keys()].find((name) => batchesOf(name) !== batches && batchesOf(name) !== 1);
  if (short !== undefined)
    throw new UserError(
      `expected ${batches} batches for the input ${short}, or one for all, received ${batchesOf(short)}`,
      `The model takes ${sizes.get(short)!} at once: save a multiple of it.`,
    );
  return Array.from({ length: batches }, (_, i) =>
    Object.fromEntries(
      [...inputs].map(([name, { dtype }]) => {
        const { values, shape } = all.get(name)!;
        const size = sizes.get(name)!;
        const at = batchesOf(name) === 1 ? 0 : i * size;
        const each = values.length / (shape[0] ?? 1);
        const data = values.slice(at * each, Math.min(count(name), at + size) * each);
        const rows = shape.length === 0 ? [] : [Math.min(count(name), at + size) - at];
        return [name, { data: typedAs(dtype, data), shape: [...rows, ...shape.slice(1)] }];
      }),
    ),
  );
}
