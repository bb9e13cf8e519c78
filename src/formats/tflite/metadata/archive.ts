import { inflateSync, strToU8, zipSync } from 'fflate';

/** Archived file from which tools read a model's class names. */
export const LABELS_FILE = 'labels.txt';

/** Class names, one per line. */
export function labelsText(labels: readonly string[]): string {
  // A line break inside a label would shift all later ones.
  return labels.map((label) => `${label.replaceAll(/[\r\n\u2028\u2029]+/g, ' ')}\n`).join('');
}

/** Appends the labels to the file as a zip archive, in which tools look for associated files. */
export function appendLabels(bytes: Uint8Array, labels: readonly string[]): Uint8Array {
  return appendFiles(bytes, { [LABELS_FILE]: labelsText(labels) });
}

/** Appends texts, by the name of their file, in the same way. */
export function appendFiles(bytes: Uint8Array, files: Readonly<Record<string, string>>): Uint8Array {
  const packed = Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)]));
  // A fixed date keeps the bytes equal; stored without compression, because readers map the file.
  const zip = zipSync(packed, { level: 0, mtime: '1980-01-01T12:00:00' });
  const out = new Uint8Array(bytes.length + zip.length);
  out.set(bytes);
  out.set(shifted(zip, bytes.length), bytes.length);
  return out;
}

/** A zip archive that begins at offset `by` of its file: offsets in its directory count from the start of the file. */
function shifted(zip: Uint8Array, by: number): Uint8Array {
  const out = zip.slice();
  const view = new DataView(out.buffer);
  const end = out.length - END_SIZE;
  let entry = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    view.setUint32(entry + 42, view.getUint32(entry + 42, true) + by, true);
    entry +=
      46 + view.getUint16(entry + 28, true) + view.getUint16(entry + 30, true) + view.getUint16(entry + 32, true);
  }
  view.setUint32(end + 16, view.getUint32(end + 16, true) + by, true);
  return out;
}

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly packedSize: number;
  readonly size: number;
  /** Offset of its local header. */
  readonly offset: number;
}

const END_SIZE = 22;
const [END_MARK, ENTRY_MARK, LOCAL_MARK] = [0x06054b50, 0x02014b50, 0x04034b50];
const LONGEST_COMMENT = 0xffff;
/** Maximum number of archived files: models have a few, of kilobytes; a larger number is not trusted. */
const MOST_FILES = 64;
const [LARGEST, LARGEST_TOTAL] = [1 << 20, 1 << 22];

/** Names of the files archived after the model, without unpacking them. */
export function associatedNames(bytes: Uint8Array): string[] {
  return entriesOf(bytes).map(({ name }) => name);
}

/** Text files archived after the model, by name: labels, vocabularies. Large or damaged files are left out. */
export function associatedFiles(bytes: Uint8Array): Record<string, string> {
  const texts: [string, string][] = [];
  let total = 0;
  for (const entry of entriesOf(bytes)) {
    const isLarge = Math.max(entry.size, entry.packedSize) > LARGEST || total + entry.size > LARGEST_TOTAL;
    const data = isLarge ? undefined : unpacked(bytes, entry);
    if (data === undefined) continue;
    total += entry.size;
    texts.push([entry.name, new TextDecoder().decode(data)]);
  }
  return Object.fromEntries(texts);
}

/** Entries of the zip directory; empty unless it is valid, of the plain format and of plausible length. */
function entriesOf(bytes: Uint8Array): Entry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = endRecord(view);
  if (end === undefined) return [];
  const count = view.getUint16(end + 10, true);
  const entries: Entry[] = [];
  let at = view.getUint32(end + 16, true);
  if (count > MOST_FILES) return [];
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || view.getUint32(at, true) !== ENTRY_MARK) return [];
    const nameSize = view.getUint16(at + 28, true);
    const next = at + 46 + nameSize + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (next > end) return [];
    entries.push({
      name: new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameSize)),
      method: view.getUint16(at + 10, true),
      packedSize: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    });
    at = next;
  }
  return entries;
}

function endRecord(view: DataView): number | undefined {
  const last = view.byteLength - END_SIZE;
  for (let at = last; at >= Math.max(0, last - LONGEST_COMMENT); at--)
    if (view.getUint32(at, true) === END_MARK) return at;
  return undefined;
}

function unpacked(bytes: Uint8Array, { method, packedSize, size, offset }: Entry): Uint8Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (offset + 30 > bytes.length || view.getUint32(offset, true) !== LOCAL_MARK) return undefined;
  const start = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  if (start + packedSize > bytes.length) return undefined;
  const packed = bytes.subarray(start, start + packedSize);
  if (method === 0) return packedSize === size ? packed : undefined;
  if (method !== 8) return undefined;
  try {
    // Into an array of the promised size, so that a few bytes cannot expand.
    return inflateSync(packed, { out: new Uint8Array(size) });
  } catch {
    return undefined;
  }
}
