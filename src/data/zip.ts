import * as zlib from 'node:zlib';
import { unzipSync } from 'fflate';

/** CRC-32 as zip has it; Node has it since 20.15. */
const crc32 = (zlib as { crc32?: (data: Uint8Array) => number }).crc32;

/**
 * The entries of a zip archive that are wanted, checked against the CRC-32 in its directory (APPNOTE.TXT, 4.3.12), which fflate
 * does not look at. Throws an `Error` if the archive is damaged.
 */
export function unzip(bytes: Uint8Array, isWanted: (name: string) => boolean): Record<string, Uint8Array> {
  const entries = unzipSync(bytes, { filter: ({ name }) => isWanted(name) });
  const expected = crcs(bytes);
  for (const [name, data] of Object.entries(entries)) {
    const crc = expected.get(name);
    if (crc !== undefined && crc32 !== undefined && crc32(data) !== crc) throw new Error(`CRC-32 of ${name} is wrong`);
  }
  return entries;
}

/** By name; none for an archive of more than 4 GiB, whose directory is elsewhere. */
function crcs(bytes: Uint8Array): Map<string, number> {
  const found = new Map<string, number>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  let at = end < 0 ? bytes.length : view.getUint32(end + 16, true);
  while (at + 46 <= bytes.length && view.getUint32(at, true) === 0x02014b50) {
    const [nameLength, extra, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength!));
    found.set(name, view.getUint32(at + 16, true));
    at += 46 + nameLength! + extra! + comment!;
  }
  return found;
}
