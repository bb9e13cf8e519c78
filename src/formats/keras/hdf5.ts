import type { Dataset, Group } from 'h5wasm';
import { clipped, UserError } from '../../base/errors.ts';
import { elementCount } from '../onnx/model.ts';
import { damagedModel } from './config.ts';

export interface KerasArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A group of an HDF5 file with all that is in it. */
export interface Hdf5Group {
  readonly attributes: ReadonlyMap<string, unknown>;
  readonly groups: ReadonlyMap<string, Hdf5Group>;
  readonly arrays: ReadonlyMap<string, KerasArray>;
}

/** Groups without weights of the model. */
const UNREAD: ReadonlySet<string> = new Set(['optimizer', 'optimizer_weights', 'metrics', 'loss_tracker']);

/** Maximum nesting of groups, which links may make endless. */
const DEEPEST = 64;
/**
 * Maximum elements of all arrays for each byte of a file: as many as compression may give in small files; in larger ones, more than any weights, which
 * hardly shrink.
 */
const [MOST_ELEMENTS, SMALL_ELEMENTS, MOST_IN_LARGE] = [260, 2 ** 26, 8];
/** Maximum bytes of an attribute: the configuration of the largest models takes some hundred kB. */
const LONGEST_ATTRIBUTE = 2 ** 26;

let opened = 0;

/** Reads an HDF5 file in memory. `UserError` for a damaged file, and for arrays of other types than numbers. */
export async function readHdf5(bytes: Uint8Array, file: string): Promise<Hdf5Group> {
  const { File, ready } = await import('h5wasm');
  const library = await ready;
  // Otherwise the library prints its errors.
  library.activate_throwing_error_handler();
  const { FS } = library;
  const name = `file-${opened++}.h5`;
  try {
    FS.writeFile(name, bytes);
    const root = new File(name, 'r');
    try {
      const most = Math.max(Math.min(bytes.length * MOST_ELEMENTS, SMALL_ELEMENTS), bytes.length * MOST_IN_LARGE);
      return groupOf(root, { file, most, elements: 0 }, 0);
    } finally {
      root.close();
    }
  } catch (error) {
    if ((error as Error).name === 'UserError') throw error;
    throw damagedModel(file, `is no HDF5 file, or a damaged one (${clipped(textOf(error))})`);
  } finally {
    FS.unlink(name);
  }
}

function textOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0]!;
}

interface Limits {
  readonly file: string;
  readonly most: number;
  /** Elements that were read so far. */
  elements: number;
}

function groupOf(group: Group, limits: Limits, depth: number): Hdf5Group {
  if (depth > DEEPEST) throw damagedModel(limits.file, `its groups are nested deeper than ${DEEPEST}`);
  const groups = new Map<string, Hdf5Group>();
  const arrays = new Map<string, KerasArray>();
  for (const name of group.keys()) {
    if (depth === 0 && UNREAD.has(name)) continue;
    const entity = group.get(name);
    const type = entity !== null && 'type' in entity ? (entity.type as string) : '';
    if (type === 'Group') groups.set(name, groupOf(entity as Group, limits, depth + 1));
    else if (type === 'Dataset') {
      const array = arrayOf(entity as Dataset, limits);
      if (array !== undefined) arrays.set(name, array);
    } else throw damagedModel(limits.file, `${clipped(`${group.path}/${name}`)} is neither a group nor an array of it`);
  }
  const attributes = new Map(
    Object.entries(group.attrs).map(([name, attribute]) => {
      const size = elementCount(attribute.shape ?? []) * attribute.metadata.size;
      if (size > LONGEST_ATTRIBUTE) throw damagedModel(limits.file, `its attribute ${clipped(name)} has ${size} bytes`);
      return [name, attribute.value];
    }),
  );
  return { attributes, groups, arrays };
}

/** Content of an array; undefined for texts, such as a vocabulary. */
function arrayOf(dataset: Dataset, limits: Limits): KerasArray | undefined {
  const { file, most } = limits;
  const { dtype, path } = dataset;
  const shape = dataset.shape ?? [];
  if (typeof dtype === 'string' && /^S|^O/.test(dtype)) return undefined;
  const fail = (fact: string): never => {
    throw damagedModel(file, `its array ${clipped(path)} ${fact}`);
  };
  // Without these files, which are not read, the library gives zeros.
  if (dataset.metadata.virtual_sources !== undefined)
    return fail('is put together from arrays of other files, expected its numbers in this one');
  if (dtype === '<e' || dtype === 'unknown')
    throw new UserError(
      `${file}: its array ${clipped(path)} holds ${dtype === '<e' ? 'float16' : 'bytes of no type, as Keras writes bfloat16'}, expected float32`,
      'In Keras, make the same model with the dtype policy float32, give it the weights with set_weights(), and save that.',
    );
  const count = elementCount(shape);
  limits.elements += count;
  if (!(limits.elements <= most)) return fail(`has ${count} elements, more than the file can hold`);
  const { value } = dataset;
  const numbers = typeof value === 'number' || typeof value === 'bigint' ? [value] : value;
  if (!ArrayBuffer.isView(numbers) && !Array.isArray(numbers)) return fail(`is of the type ${JSON.stringify(dtype)}`);
  const isBig = typeof numbers[0 as keyof typeof numbers] === 'bigint';
  const data = isBig
    ? Float32Array.from(numbers as ArrayLike<bigint>, Number)
    : new Float32Array(numbers as ArrayLike<number>);
  if (data.length !== count) return fail(`has ${data.length} elements, expected [${shape.join(', ')}]`);
  return { shape, data };
}

/** The group at a path of names; undefined if it is missing. */
export function groupAt(root: Hdf5Group, path: readonly string[]): Hdf5Group | undefined {
  return path.reduce<Hdf5Group | undefined>((group, name) => group?.groups.get(name), root);
}

/** The array at a path of names. */
export function arrayAt(root: Hdf5Group, path: readonly string[]): KerasArray | undefined {
  return groupAt(root, path.slice(0, -1))?.arrays.get(path.at(-1) ?? '');
}
