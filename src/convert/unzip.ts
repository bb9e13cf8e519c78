import { inflateSync } from 'fflate';
import { entriesOf } from '../base/zip-directory.ts';
import type { ZipEntry } from '../base/zip-directory.ts';

/** Entries of an archive in memory. `Error` for a damaged directory. */
export function entriesIn(bytes: Uint8Array): Promise<readonly ZipEntry[]> {
  const read = (from: number, length: number) => Promise.resolve(bytes.subarray(from, from + length));
  return entriesOf({ size: bytes.length, read });
}

/** Unpacks an entry into as many bytes as its directory says. `Error` where size or CRC-32 differ. */
export function unpacked(archive: Uint8Array, { name, isPlain, offset, packed, size, crc }: ZipEntry): Uint8Array {
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
