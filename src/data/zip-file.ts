import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { inflateRawSync } from 'node:zlib';
import { UserError } from '../base/errors.ts';
import { crc32 } from './zip.ts';

/** Entry of a zip archive that is not read whole. */
export interface ZipEntry {
  readonly name: string;
  /** True where its bytes stand in the file as they are. */
  readonly isPlain: boolean;
  /** Bytes in the file, and unpacked. */
  readonly packed: number;
  readonly size: number;
  readonly crc: number;
  /** Byte of the file where its data begin. */
  readonly offset: number;
}

/** Most bytes of the end record of an archive, with its comment (APPNOTE.TXT, 4.3.16). */
const MOST_END = 22 + 0xffff;

/** Entries of an archive of any size, by its directory (APPNOTE.TXT, 4.3.12, 4.3.14 and 4.5.3). Undefined where that is damaged. */
export async function zipEntries(file: string): Promise<readonly ZipEntry[] | undefined> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const tail = await readAt(handle, Math.max(0, size - MOST_END), Math.min(size, MOST_END));
    const view = viewOf(tail);
    let end = tail.length - 22;
    while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
    if (end < 0) return undefined;
    let [length, at] = [view.getUint32(end + 12, true), view.getUint32(end + 16, true)];
    if (end >= 20 && view.getUint32(end - 20, true) === 0x07064b50) {
      const large = viewOf(await readAt(handle, Number(view.getBigUint64(end - 12, true)), 56));
      if (large.byteLength < 56 || large.getUint32(0, true) !== 0x06064b50) return undefined;
      [length, at] = [Number(large.getBigUint64(40, true)), Number(large.getBigUint64(48, true))];
    }
    if (at + length > size) return undefined;
    const entries = await entriesOf(handle, await readAt(handle, at, length));
    return entries?.every(({ offset, packed }) => offset + packed <= size) === true ? entries : undefined;
  } finally {
    await handle.close();
  }
}

async function entriesOf(handle: FileHandle, directory: Uint8Array): Promise<readonly ZipEntry[] | undefined> {
  const view = viewOf(directory);
  const found: ZipEntry[] = [];
  for (let at = 0; at + 46 <= directory.length;) {
    if (view.getUint32(at, true) !== 0x02014b50) return undefined;
    const [nameLength, extra, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true)) as [number, number, number]; // prettier-ignore
    const name = new TextDecoder().decode(directory.subarray(at + 46, at + 46 + nameLength));
    const large = largeNumbers(view, at + 46 + nameLength, extra);
    const number = (offset: number): number => {
      const value = view.getUint32(at + offset, true);
      return value === 0xffffffff ? (large.shift() ?? value) : value;
    };
    // In this order they stand among the large numbers.
    const [size, packed, header] = [number(24), number(20), number(42)];
    const local = viewOf(await readAt(handle, header, 30));
    if (local.byteLength < 30 || local.getUint32(0, true) !== 0x04034b50) return undefined;
    const offset = header + 30 + local.getUint16(26, true) + local.getUint16(28, true);
    const isPlain = view.getUint16(at + 10, true) === 0;
    found.push({ name, isPlain, packed, size, crc: view.getUint32(at + 16, true), offset });
    at += 46 + nameLength + extra + comment;
  }
  return found;
}

/** Numbers of the extra field of sizes beyond 4 GiB. */
function largeNumbers(view: DataView, from: number, length: number): number[] {
  for (let at = from; at + 4 <= from + length;) {
    const [id, size] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    if (id === 1)
      return Array.from({ length: Math.floor(size / 8) }, (_, i) => Number(view.getBigUint64(at + 4 + 8 * i, true)));
    at += 4 + size;
  }
  return [];
}

/** The bytes of an entry, unpacked. `UserError` where they are not those that its directory says. */
export async function readEntry(file: string, entry: ZipEntry): Promise<Uint8Array> {
  const handle = await open(file, 'r');
  try {
    const packed = await readAt(handle, entry.offset, entry.packed);
    const bytes = entry.isPlain ? packed : inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.size) });
    if (bytes.length !== entry.size || (crc32 !== undefined && crc32(bytes) !== entry.crc)) throw damaged(file, entry);
    return bytes;
  } catch (error) {
    throw error instanceof UserError ? error : damaged(file, entry);
  } finally {
    await handle.close();
  }
}

const PIECE = 1 << 24;

/** Compares the bytes of a plain entry with the CRC-32 of its directory, piece by piece. */
export async function checkEntry(file: string, entry: ZipEntry): Promise<void> {
  if (crc32 === undefined) return;
  const handle = await open(file, 'r');
  try {
    let crc = 0;
    for (let done = 0; done < entry.size; done += PIECE)
      crc = crc32(await readAt(handle, entry.offset + done, Math.min(PIECE, entry.size - done)), crc);
    if (crc !== entry.crc) throw damaged(file, entry);
  } finally {
    await handle.close();
  }
}

function damaged(file: string, { name }: ZipEntry): UserError {
  return new UserError(
    `${file}: the archive is damaged or truncated (CRC-32 of ${name} is wrong)`,
    'Get the file again; `unzip -t` tells whether it is whole.',
  );
}

/** So many bytes from a place on, or those that there are. */
async function readAt(handle: FileHandle, from: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, from + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
