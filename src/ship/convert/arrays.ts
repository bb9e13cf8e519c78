import { readBytes } from '../../base/files.ts';
import { parseNpy } from '../../base/numpy.ts';
import type { NpyArray } from '../../base/numpy.ts';
import { rowsOfArray, rowsOfArrays } from '../../convert/rows.ts';
import type { Rows } from '../../convert/rows.ts';
import { npySamples } from '../../data/readers/numpy/npy.ts';
import { npyEntries } from '../../data/readers/numpy/zip.ts';
import type { TensorType } from '../../graph/types.ts';

/**
 * NumPy arrays as the model is fed: an .npy file for a model of one input, an .npz archive with an array for each. `UserError` for other arrays, and for
 * such as no memory holds.
 */
export async function arraysFor(file: string, inputs: ReadonlyMap<string, TensorType>): Promise<Map<string, Rows>> {
  const floats = (array: NpyArray): Float32Array => Float32Array.from(npySamples(array));
  if (!file.endsWith('.npz')) return rowsOfArray(parseNpy(await readBytes(file), file), inputs, file, floats);
  const entries = await npyEntries(file);
  const names = Object.keys(entries).map((name) => name.slice(0, -'.npy'.length));
  return rowsOfArrays(names, (name) => parseNpy(entries[`${name}.npy`]!, `${file}: ${name}`), inputs, file, floats);
}
