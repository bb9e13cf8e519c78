import { memoryText } from './numbers.ts';

/** Entry of a zip archive. */
export interface ZipEntry {
  readonly name: string;
  /** True if its bytes are stored without compression. */
  readonly isPlain: boolean;
  /** Compressed and uncompressed size in bytes. */
  readonly packed: number;
  readonly size: number;
  readonly crc: number;
  /** Offset of its data in the file. */
  readonly offset: number;
}

/** An archive: its size, and a reader of bytes from a position, fewer at the end. */
export interface Archive {
  readonly size: number;
  readonly read: (from: number, length: number) => Promise<Uint8Array>;
}

/** Maximum expansion of deflate (zlib.net/zlib_tech.html). */
export const MOST_INFLATED = 1032;
/** Maximum bytes of the end record of an archive, with its comment (APPNOTE.TXT, 4.3.16). */
const MOST_END = 22 + 0xffff;
/** Arrays larger than `LARGE` bytes that deflate shrinks by more than `PLAUSIBLE` are refused: they repeat a single value. */
const [LARGE, PLAUSIBLE] = [2 ** 30, 500];
/** Maximum number of entries that are looked at for a message. */
const MOST_WALKED = 1000;
/** Marks a number that is stored in the zip64 field. */
const ELSEWHERE = 0xffffffff;

/** Entries of an archive of any size, from its directory (APPNOTE.TXT, 4.3.12, 4.3.14 and 4.5.3). `Error` for a damaged directory. */
export async function entriesOf(archive: Archive): Promise<readonly ZipEntry[]> {
  const { size, read } = archive;
  const tail = viewOf(await read(Math.max(0, size - MOST_END), Math.min(size, MOST_END)));
  let end = tail.byteLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) throw new Error(`received ${size} bytes${await expectedOf(archive)}, without the directory at its end`);
  let [count, length, at] = [
    tail.getUint16(end + 10, true),
    tail.getUint32(end + 12, true),
    tail.getUint32(end + 16, true),
  ];
  if (end >= 20 && tail.getUint32(end - 20, true) === 0x07064b50) {
    const large = viewOf(await read(Number(tail.getBigUint64(end - 12, true)), 56));
    if (large.byteLength < 56 || large.getUint32(0, true) !== 0x06064b50)
      throw new Error('its directory is not where it is said to be');
    [count, length, at] = [32, 40, 48].map((offset) => Number(large.getBigUint64(offset, true))) as [
      number,
      number,
      number,
    ];
  }
  if (at + length > size) throw new Error('its directory is not where it is said to be');
  const view = viewOf(await read(at, length));
  const found: ZipEntry[] = [];
  for (let from = 0; found.length < count; from += entryLength(view, from)) {
    if (from + 46 > view.byteLength || view.getUint32(from, true) !== 0x02014b50)
      throw new Error(`its directory holds ${found.length} of ${count} entries`);
    found.push(await entryAt(view, from, archive));
  }
  return found;
}

/** Length of a directory entry with its name, extra fields and comment. */
function entryLength(view: DataView, at: number): number {
  return 46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
}

async function entryAt(view: DataView, at: number, archive: Archive): Promise<ZipEntry> {
  const [nameLength, extra] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true)];
  if (at + 46 + nameLength + extra > view.byteLength) throw new Error('its directory is cut off');
  const name = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at + 46, nameLength));
  const large = largeNumbers(view, at + 46 + nameLength, extra);
  const number = (offset: number): number => {
    const value = view.getUint32(at + offset, true);
    return value === ELSEWHERE ? (large.shift() ?? value) : value;
  };
  // The zip64 field lists them in this order.
  const [size, packed, header] = [number(24), number(20), number(42)];
  const method = view.getUint16(at + 10, true);
  if (method !== 0 && method !== 8) throw new Error(`${name} is packed by method ${method}, expected deflate`);
  if (method === 0 ? size !== packed : size > packed * MOST_INFLATED)
    throw new Error(`an entry of ${packed} bytes is said to hold ${size}`);
  const local = viewOf(await archive.read(header, 30));
  if (local.byteLength < 30 || local.getUint32(0, true) !== 0x04034b50)
    throw new Error(`${name} is not where its directory says`);
  const offset = header + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  if (offset + packed > archive.size) throw new Error(`${name} is cut off`);
  if (size > LARGE && size > packed * PLAUSIBLE)
    throw new Error(
      `${name}: ${memoryText(packed)} become ${memoryText(size)}, expected at most ${PLAUSIBLE} times as many beyond ${memoryText(LARGE)}; numpy.savez writes it without packing`,
    );
  return { name, isPlain: method === 0, packed, size, crc: view.getUint32(at + 16, true), offset };
}

/** Numbers of the extra field for sizes beyond 4 GiB (zip64). */
function largeNumbers(view: DataView, from: number, length: number): number[] {
  for (let at = from; at + 4 <= from + length;) {
    const [id, size] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    const count = Math.floor(Math.min(size, from + length - at - 4) / 8);
    if (id === 1) return Array.from({ length: count }, (_, i) => Number(view.getBigUint64(at + 4 + 8 * i, true)));
    at += 4 + size;
  }
  return [];
}

/** Expected size of an archive without a directory: the end of its last entry according to the entry's own header (APPNOTE.TXT, 4.3.7). */
async function expectedOf({ size, read }: Archive): Promise<string> {
  for (let [at, entry] = [0, 0]; at + 30 <= size && entry < MOST_WALKED; entry++) {
    const view = viewOf(await read(at, 30));
    if (view.getUint32(0, true) !== 0x04034b50) return '';
    const [nameLength, extra] = [view.getUint16(26, true), view.getUint16(28, true)];
    const field = viewOf(await read(at + 30 + nameLength, extra));
    const packed = view.getUint32(18, true);
    const length = packed === ELSEWHERE ? largeNumbers(field, 0, field.byteLength)[1] : packed;
    if (length === undefined) return '';
    at += 30 + nameLength + extra + length;
    if (at > size) return ` of more than ${at}`;
  }
  return '';
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
