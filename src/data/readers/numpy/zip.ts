import { pipeline, Readable } from 'node:stream';
import * as zlib from 'node:zlib';
import { UserError } from '../../../base/errors.ts';
import { openToRead } from '../../../base/files.ts';
import { freeMemory, memoryText } from '../../../base/process/memory.ts';
import { entriesOf } from '../../../base/zip-directory.ts';
import type { Archive, ZipEntry } from '../../../base/zip-directory.ts';
import { sharedBytes } from '../../dataset.ts';

/** CRC-32 of zip, continued from the CRC of the bytes before; in Node since 20.15. */
const crc32 = (zlib as { crc32?: (data: Uint8Array, before?: number) => number }).crc32;

/**
 * Unpacks the wanted entries of an archive, by name, into memory that threads share. The directory is checked first, and each entry against its
 * CRC-32 (APPNOTE.TXT, 4.3.12). `source`: a file, which is read in pieces, or its bytes. `Error` for a damaged archive, and for entries larger
 * than plausible or than free memory.
 */
export async function unzip(
  source: string | Uint8Array,
  isWanted: (name: string) => boolean,
): Promise<Record<string, Uint8Array>> {
  return opened(source, async (archive) => {
    const wanted = (await entriesOf(archive)).filter(({ name }) => isWanted(name));
    const total = (of: 'packed' | 'size'): number => wanted.reduce((sum, entry) => sum + entry[of], 0);
    if (total('packed') > archive.size) throw new Error('its entries overlap');
    refuseLarge(total('size'));
    const found: Record<string, Uint8Array> = {};
    for (const entry of wanted) found[entry.name] = await unpacked(entry, archive);
    return found;
  });
}

/** Entries of an archive of any size, from its directory (APPNOTE.TXT, 4.3.12, 4.3.14 and 4.5.3). `Error` for a damaged directory. */
export async function zipEntries(file: string): Promise<readonly ZipEntry[]> {
  return opened(file, entriesOf);
}

async function opened<T>(source: string | Uint8Array, use: (archive: Archive) => Promise<T>): Promise<T> {
  if (typeof source !== 'string')
    return use({ size: source.length, read: (from, length) => Promise.resolve(source.subarray(from, from + length)) });
  const handle = await openToRead(source);
  const read = async (from: number, length: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const { bytesRead } = await handle.read(bytes, done, length - done, from + done);
      if (bytesRead === 0) return bytes.subarray(0, done);
      done += bytesRead;
    }
    return bytes;
  };
  try {
    return await use({ size: (await handle.stat()).size, read });
  } finally {
    await handle.close();
  }
}

function refuseLarge(bytes: number): void {
  const free = freeMemory();
  if (bytes > free)
    throw new Error(`unpacked it takes ${memoryText(bytes)} of memory, and ${memoryText(free)} are free`);
}

/** Unpacks an entry. Stops at the size in the directory. */
async function unpacked(entry: ZipEntry, archive: Archive): Promise<Uint8Array> {
  const { name, isPlain, size } = entry;
  const bytes = sharedBytes(size);
  const pieces = piecesOf(entry, archive);
  let length = 0;
  try {
    for await (const piece of isPlain ? pieces : inflated(pieces)) {
      if (length + piece.length > size) throw new RangeError();
      bytes.set(piece, length);
      length += piece.length;
    }
  } catch {
    throw new Error(`${name} does not unpack to the ${size} bytes that its directory says`);
  }
  if (length !== size) throw new Error(`${name} holds ${length} of ${size} bytes`);
  if (crc32 !== undefined && crc32(bytes) !== entry.crc) throw new Error(`CRC-32 of ${name} is wrong`);
  return bytes;
}

const PIECE = 1 << 22;

async function* piecesOf({ offset, packed }: ZipEntry, { read }: Archive): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < packed; done += PIECE) yield await read(offset + done, Math.min(PIECE, packed - done));
}

function inflated(pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  // Through `pipeline`, an error on either side ends both.
  return pipeline(Readable.from(pieces), zlib.createInflateRaw({ chunkSize: 1 << 20 }), () => undefined);
}

/** Reads and unpacks an entry. `UserError` if size or CRC-32 differ from the directory. */
export async function readEntry(file: string, entry: ZipEntry): Promise<Uint8Array> {
  try {
    refuseLarge(entry.size);
    return await opened(file, (archive) => unpacked(entry, archive));
  } catch (error) {
    throw damaged(file, error);
  }
}

/** Compares the bytes of an uncompressed entry with the CRC-32 in the directory, piece by piece. */
export async function checkEntry(file: string, entry: ZipEntry): Promise<void> {
  if (crc32 === undefined) return;
  let found = 0;
  await opened(file, async (archive) => {
    for await (const piece of piecesOf(entry, archive)) found = crc32(piece, found);
  });
  if (found !== entry.crc) throw damaged(file, new Error(`CRC-32 of ${entry.name} is wrong`));
}

/** The `.npy` files in an `.npz` archive, by name; `bytes`: its content, where that is read already. `UserError` for a file that is no archive, or a damaged one. */
export async function npyEntries(file: string, bytes?: Uint8Array): Promise<Record<string, Uint8Array>> {
  return unzip(bytes ?? file, (name) => name.endsWith('.npy')).catch((error: unknown) => {
    throw new UserError(
      `${file}: not an .npz archive, or a damaged one (${(error as Error).message})`,
      'Write it with numpy.savez.',
      { cause: error },
    );
  });
}

/** Error for an archive that cannot be read. */
export function damaged(file: string, error: unknown): UserError {
  return new UserError(
    `${file}: the archive is damaged or truncated (${(error as Error).message})`,
    'Get the file again; `unzip -t` tells whether it is whole.',
    { cause: error },
  );
}
