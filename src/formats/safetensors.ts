import { bytesOf, concatBytes } from '../base/typed-bytes.ts';
import { clipped, shown, UserError } from '../base/errors.ts';
import type { DType, TensorData } from '../graph/types.ts';
import { product } from '../base/numbers.ts';
import { parsedJson } from '../base/json.ts';

/**
 * The safetensors format (https://github.com/huggingface/safetensors): the length of a JSON header as a little-endian
 * 64-bit integer, the header, the tensors without a gap. Equal content gives equal bytes.
 */
export interface StoredTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

const TYPES: Readonly<Record<DType, { name: string; size: number }>> = {
  float32: { name: 'F32', size: 4 },
  float16: { name: 'F16', size: 2 },
  int64: { name: 'I64', size: 8 },
  int32: { name: 'I32', size: 4 },
  int16: { name: 'I16', size: 2 },
  int8: { name: 'I8', size: 1 },
  uint8: { name: 'U8', size: 1 },
  bool: { name: 'BOOL', size: 1 },
};
const DTYPES = new Map(Object.entries(TYPES).map(([dtype, { name }]) => [name, dtype as DType]));
/** Limit of the header, as in the reference implementation: a longer one is an attack or not a header. */
const LONGEST_HEADER = 100_000_000;

/** File of tensors as its head (length and header) and the bytes of each tensor, without a copy of them. */
export function safetensorsParts({ tensors, metadata }: Safetensors): readonly [head: Uint8Array, ...Uint8Array[]] {
  // Wider types first, so that every tensor is aligned to its element size.
  const entries = [...tensors].sort(
    ([a, { dtype: x }], [b, { dtype: y }]) => TYPES[y].size - TYPES[x].size || (a < b ? -1 : 1),
  );
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) {
    header['__metadata__'] = Object.fromEntries(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)));
  }
  let offset = 0;
  for (const [name, { dtype, shape, data }] of entries) {
    if (name === '__metadata__') throw new Error('a tensor cannot be named __metadata__');
    const length = product(shape) * TYPES[dtype].size;
    if (length !== data.byteLength) {
      throw new Error(`${name}: ${dtype} ${JSON.stringify(shape)} takes ${length} bytes, data has ${data.byteLength}`);
    }
    header[name] = { dtype: TYPES[dtype].name, shape, data_offsets: [offset, offset + length] };
    offset += length;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const head = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  head.set(json, 8);
  new DataView(head.buffer).setBigUint64(0, BigInt(head.length - 8), true);
  return [head, ...entries.map(([, { data }]) => bytesOf(data))];
}

export function writeSafetensors(content: Safetensors): Uint8Array {
  return concatBytes(safetensorsParts(content));
}

/** Reads and checks a whole file; `source` names it in messages. The tensors are copies, aligned and free to change. */
export function readSafetensors(bytes: Uint8Array, source: string): Safetensors {
  const fail = failOf(source);
  const start = 8 + headerLength(bytes, bytes.length, fail);
  const { metadata, places } = checkedHeader(bytes.subarray(8, start), bytes.length - start, fail);
  const tensors = places.map(({ name, dtype, shape, from, to }): [string, StoredTensor] => [
    name,
    { dtype, shape, data: tensorDataOf(dtype, new Uint8Array(bytes.subarray(start + from, start + to))) },
  ]);
  return { tensors: new Map(tensors), metadata };
}

/** Throws a `UserError` about the file. */
type Fail = (fact: string) => never;

export function failOf(source: string): Fail {
  return (fact) => {
    throw new UserError(`${source}: not a valid safetensors file: ${fact}`, 'Get the file again, or remove it.');
  };
}

/** Length of the header by the first eight bytes of a file of `size` bytes. */
export function headerLength(bytes: Uint8Array, size: number, fail: Fail): number {
  if (size < 8) fail(`it has ${size} bytes, fewer than the length of a header takes`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  if (length > LONGEST_HEADER || 8 + length > size) {
    fail(`the header is said to have ${length} bytes, the file has ${size}`);
  }
  return length;
}

/** Metadata, and the places of the tensors, which fill the `size` bytes after the header in their order. */
export function checkedHeader(
  bytes: Uint8Array,
  size: number,
  fail: Fail,
): { readonly metadata: Readonly<Record<string, string>>; readonly places: readonly Placed[] } {
  const { __metadata__: metadata = {}, ...entries } = parseHeader(bytes, fail);
  if (!isRecord(metadata) || Object.values(metadata).some((value) => typeof value !== 'string')) {
    fail('__metadata__ is not a mapping of text to text');
  }
  const places = placed(entries, fail);
  let end = 0;
  for (const { name, from, to } of places) {
    if (from !== end) fail(`${clipped(name)} starts at byte ${from}, the tensor before it ends at ${end}`);
    if (to > size) fail(`${clipped(name)} ends at byte ${to}, the file has ${size} bytes of tensors`);
    end = to;
  }
  if (end !== size) fail(`${size - end} bytes at the end belong to no tensor`);
  return { metadata: metadata as Record<string, string>, places };
}

function parseHeader(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  try {
    const header: unknown = parsedJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (isRecord(header)) return header;
  } catch {
    // Falls through to the same message.
  }
  return fail('the header is not a JSON object');
}

interface Placed {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly from: number;
  readonly to: number;
}

function placed(entries: Record<string, unknown>, fail: Fail): Placed[] {
  const all = Object.entries(entries).map(([name, entry]): Placed => {
    const called = clipped(name);
    if (!isRecord(entry)) return fail(`${called} is not described by a mapping`);
    const dtype =
      DTYPES.get(String(entry['dtype'])) ?? fail(`${called} has the unsupported type ${shown(entry['dtype'])}`);
    const { shape, data_offsets: offsets } = entry;
    if (!isSizes(shape)) return fail(`${called} has no valid shape`);
    if (!isSizes(offsets) || offsets.length !== 2) return fail(`${called} has no valid data_offsets`);
    const [from, to] = offsets as [number, number];
    const length = product(shape) * TYPES[dtype].size;
    if (to - from !== length) fail(`${called} needs ${length} bytes, its offsets span ${to - from}`);
    return { name, dtype, shape, from, to };
  });
  return all.sort((a, b) => a.from - b.from || a.to - b.to);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/** A typed array over bytes of its own. */
export function tensorDataOf(dtype: DType, bytes: Uint8Array): TensorData {
  const { buffer, byteOffset, byteLength } = bytes;
  const length = byteLength / TYPES[dtype].size;
  switch (dtype) {
    case 'float32':
      return new Float32Array(buffer, byteOffset, length);
    case 'float16':
      return new Uint16Array(buffer, byteOffset, length);
    case 'int64':
      return new BigInt64Array(buffer, byteOffset, length);
    case 'int32':
      return new Int32Array(buffer, byteOffset, length);
    case 'int16':
      return new Int16Array(buffer, byteOffset, length);
    case 'int8':
      return new Int8Array(buffer, byteOffset, length);
    case 'uint8':
    case 'bool':
      return bytes;
  }
}
