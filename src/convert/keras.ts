import { inflateSync } from 'fflate';
import { entriesOf } from '../base/zip-directory.ts';
import type { ZipEntry } from '../base/zip-directory.ts';
import { damagedModel } from '../formats/keras/config.ts';
import { readHdf5 } from '../formats/keras/hdf5.ts';
import { isPart, modelOfArchive, modelOfHdf5, refuseInflated, unreadable } from '../formats/keras/read.ts';
import type { Model } from '../formats/onnx/model.ts';

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
  const read = (from: number, length: number) => Promise.resolve(bytes.subarray(from, from + length));
  const entries = await entriesOf({ size: bytes.length, read }).catch((error: unknown) => unreadable(file, error));
  refuseInflated(entries, file);
  const parts: Record<string, Uint8Array> = {};
  try {
    for (const entry of entries) if (isPart(entry.name)) parts[entry.name] = unpacked(bytes, entry);
  } catch (error) {
    unreadable(file, error);
  }
  return modelOfArchive(parts, file, (weights) => readHdf5(weights, file));
}

/** Unpacks an entry into as many bytes as its directory says. */
function unpacked(archive: Uint8Array, { name, isPlain, offset, packed, size, crc }: ZipEntry): Uint8Array {
  const stored = archive.subarray(offset, offset + packed);
  // A byte more, which an entry fills that is longer than its directory says.
  const made = isPlain ? stored : inflateSync(stored, { out: new Uint8Array(size + 1) });
  if (made.length !== size) throw new Error(`${name} does not unpack to the ${size} bytes that its directory says`);
  if (crc32(made) !== crc) throw new Error(`CRC-32 of ${name} is wrong`);
  return made;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, i) => {
  let value = i;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 of zip. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[i]!) & 0xff]!;
  return (crc ^ 0xffffffff) >>> 0;
}
