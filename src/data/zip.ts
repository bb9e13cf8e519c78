import * as zlib from 'node:zlib';
import { unzipSync } from 'fflate';
import { UserError } from '../base/errors.ts';

/** CRC-32 as zip has it, which goes on from that of the bytes before; Node has it since 20.15. */
export const crc32 = (zlib as { crc32?: (data: Uint8Array, before?: number) => number }).crc32;

/** Deflate makes no more than this out of a byte (zlib.net/zlib_tech.html). */
const MOST_INFLATED = 1032;
/** Values in archives of more than 4 GiB that mean that the number is stored elsewhere (APPNOTE.TXT, 4.3.14). */
const [ELSEWHERE, COUNT_ELSEWHERE] = [0xffffffff, 0xffff];

/**
 * The entries of a zip archive that are wanted. Its directory is checked first, and what is unpacked against the CRC-32 in it
 * (APPNOTE.TXT, 4.3.12): fflate looks at neither. Throws an `Error` if the archive is damaged.
 */
export function unzip(bytes: Uint8Array, isWanted: (name: string) => boolean): Record<string, Uint8Array> {
  const expected = directory(bytes);
  const entries = unzipSync(bytes, { filter: ({ name }) => isWanted(name) });
  for (const [name, data] of Object.entries(entries)) {
    const crc = expected.get(name);
    if (crc !== undefined && crc32 !== undefined && crc32(data) !== crc) throw new Error(`CRC-32 of ${name} is wrong`);
  }
  return entries;
}

/** CRC-32 by name; none for an archive of more than 4 GiB, whose directory is elsewhere. */
function directory(bytes: Uint8Array): Map<string, number> {
  const found = new Map<string, number>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) throw new Error(`received ${bytes.length} bytes${expectedOf(view)}, without the directory at its end`);
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (at === ELSEWHERE || count === COUNT_ELSEWHERE) return found;
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || view.getUint32(at, true) !== 0x02014b50)
      throw new Error(`its directory holds ${i} of ${count} entries`);
    const [nameLength, extra, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength!));
    const [packed, size] = [20, 24].map((offset) => view.getUint32(at + offset, true)) as [number, number];
    // Before room is made for it.
    if (size !== ELSEWHERE && packed !== ELSEWHERE && size > packed * MOST_INFLATED)
      throw new Error(`an entry of ${packed} bytes is said to hold ${size}`);
    found.set(name, view.getUint32(at + 16, true));
    at += 46 + nameLength! + extra! + comment!;
  }
  return found;
}

/** Expected size of an archive without its directory: the end of its last entry by that entry's own header (APPNOTE.TXT, 4.3.7). */
function expectedOf(view: DataView): string {
  let at = 0;
  while (at + 30 <= view.byteLength && view.getUint32(at, true) === 0x04034b50) {
    const [nameLength, extra] = [26, 28].map((offset) => view.getUint16(at + offset, true)) as [number, number];
    const isElsewhere = view.getUint32(at + 18, true) === ELSEWHERE;
    // The field of large sizes is the only one that NumPy writes: its own head, then the size, then that of what is packed.
    const sizeAt = at + 30 + nameLength + 12;
    if (isElsewhere && sizeAt + 8 > view.byteLength) return '';
    const packed = isElsewhere ? Number(view.getBigUint64(sizeAt, true)) : view.getUint32(at + 18, true);
    at += 30 + nameLength + extra + packed;
    if (at > view.byteLength) return ` of more than ${at}`;
  }
  return '';
}

/** The `.npy` files in an `.npz` archive, by name. `UserError` for what is no archive, or a damaged one. */
export function npyEntries(bytes: Uint8Array, file: string): Record<string, Uint8Array> {
  try {
    return unzip(bytes, (name) => name.endsWith('.npy'));
  } catch (error) {
    const fact = error instanceof Error ? error.message : String(error);
    throw new UserError(`${file}: not an .npz archive, or a damaged one (${fact})`, 'Write it with numpy.savez.', {
      cause: error,
    });
  }
}
