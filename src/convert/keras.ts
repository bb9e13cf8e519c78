import { damagedModel } from '../formats/keras/config.ts';
import { readHdf5 } from '../formats/keras/hdf5.ts';
import { isPart, modelOfArchive, modelOfHdf5, refuseInflated, unreadable } from '../formats/keras/read.ts';
import type { Model } from '../formats/onnx/model.ts';
import { entriesIn, unpacked } from './unzip.ts';

/** Reads a .keras archive or an .h5 file in memory into an ONNX model. `UserError` for a damaged file, and by layer. */
export async function readKeras(bytes: Uint8Array, file: string, isArchive: boolean): Promise<Model> {
  try {
    return isArchive ? await ofArchive(bytes, file) : modelOfHdf5(await readHdf5(bytes, file), file);
  } catch (error) {
    if ((error as Error).name !== 'RangeError') throw error;
    throw damagedModel(file, 'its layers are too many, or models stand in models too deeply');
  }
}

async function ofArchive(bytes: Uint8Array, file: string): Promise<Model> {
  const entries = await entriesIn(bytes).catch((error: unknown) => unreadable(file, error));
  refuseInflated(entries, file);
  const parts: Record<string, Uint8Array> = {};
  try {
    for (const entry of entries) if (isPart(entry.name)) parts[entry.name] = unpacked(bytes, entry);
  } catch (error) {
    unreadable(file, error);
  }
  return modelOfArchive(parts, file, (weights) => readHdf5(weights, file));
}
