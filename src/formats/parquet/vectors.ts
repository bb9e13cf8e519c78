import { bytesOf, concatBytes } from '../../base/typed-bytes.ts';

/** Parts of a file of vectors, one behind another. */
export interface VectorFile {
  readonly head: Uint8Array;
  /** Bytes of a block of rows [count, size]. */
  readonly block: (rows: Float32Array) => Uint8Array;
  /** Number of bytes of a block of `count` rows. */
  readonly bytes: (count: number) => number;
  /** Bytes behind the blocks of a file of `count` rows, of which each but the last has `block` rows. */
  readonly tail: (count: number, block: number) => Uint8Array;
}

/**
 * A Parquet file of one column `vector`, a list of float32 [size] for each row, in row groups of up to `block` rows, uncompressed. All whole row groups
 * have the same number of bytes, so that a file can be written block by block. https://parquet.apache.org/docs/file-format/, parquet.thrift 2.11.
 */
export function parquetVectors(size: number): VectorFile {
  return {
    head: MAGIC,
    block: (rows) => concatBytes([pageHead(rows.length / size, size), bytesOf(rows)]),
    bytes: (count) => pageBytes(count, size),
    tail: (count, block) => footerOf(count, block, size),
  };
}

const MAGIC = Uint8Array.from('PAR1', (letter) => letter.charCodeAt(0));
const PATH = ['vector', 'list', 'element'] as const;
const [REQUIRED, REPEATED] = [0, 2];
/** Numbers of parquet.thrift: a list as ConvertedType, the type FLOAT, the encodings PLAIN and RLE. */
const [OF_LIST, FLOAT, PLAIN, RLE] = [3, 4, 0, 3];

const FLOAT_BYTES = 4;

/** Types of Thrift's compact protocol. */
const [I32, I64, BINARY, LIST, STRUCT] = [5, 6, 8, 9, 12];
/** A field of a struct: its number, its type, its bytes. */
type Field = readonly [id: number, type: number, bytes: readonly number[]];

const i32 = (id: number, value: number): Field => [id, I32, varint(2 * value)];
const i64 = (id: number, value: number): Field => [id, I64, varint(2 * value)];
const text = (value: string): number[] => {
  const bytes = Array.from(Buffer.from(value));
  return [...varint(bytes.length), ...bytes];
};
const list = (id: number, type: number, items: readonly (readonly number[])[]): Field => {
  const head = items.length < 15 ? [(items.length << 4) | type] : [0xf0 | type, ...varint(items.length)];
  return [id, LIST, [...head, ...items.flat()]];
};
const struct = (...fields: readonly Field[]): number[] => {
  const bytes = fields.flatMap(([id, type, value], i) => [((id - (fields[i - 1]?.[0] ?? 0)) << 4) | type, ...value]);
  return [...bytes, 0];
};

/** Base 128, the lowest digits first. */
function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

/** A run of equal levels of one bit, behind its length. */
const run = (count: number, level: number): number[] => (count === 0 ? [] : [...varint(2 * count), level]);

function levels(runs: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 + runs.length);
  new DataView(bytes.buffer).setUint32(0, runs.length, true);
  bytes.set(runs, 4);
  return bytes;
}

/** Bytes of a page of `count` rows in front of its numbers. */
function pageHead(count: number, size: number): Uint8Array {
  const numbers = count * size;
  // The first number of a row begins a list, the others go on with it; each of them is there.
  const row = [...run(1, 0), ...run(size - 1, 1)];
  const repeated = levels(Array.from({ length: count }, () => row).flat());
  const allLevels = concatBytes([repeated, levels(run(numbers, 1))]);
  const length = allLevels.length + FLOAT_BYTES * numbers;
  const page = struct(i32(1, numbers), i32(2, PLAIN), i32(3, RLE), i32(4, RLE));
  const header = struct(i32(1, 0), i32(2, length), i32(3, length), [5, STRUCT, page]);
  return concatBytes([Uint8Array.from(header), allLevels]);
}

function pageBytes(count: number, size: number): number {
  return pageHead(count, size).length + FLOAT_BYTES * count * size;
}

function footerOf(count: number, block: number, size: number): Uint8Array {
  const element = (name: string, ...[type, repetition, children, kind]: readonly (number | undefined)[]): number[] =>
    struct(
      ...(type === undefined ? [] : [i32(1, type)]),
      ...(repetition === undefined ? [] : [i32(3, repetition)]),
      [4, BINARY, text(name)],
      ...(children === undefined ? [] : [i32(5, children)]),
      ...(kind === undefined ? [] : [i32(6, kind)]),
    );
  const [vector, repeated, number] = PATH;
  const schema = [
    element('schema', undefined, undefined, 1),
    element(vector, undefined, REQUIRED, 1, OF_LIST),
    element(repeated, undefined, REPEATED, 1),
    element(number, FLOAT, REQUIRED),
  ];
  const whole = pageBytes(Math.min(block, count), size);
  const groups = Array.from({ length: Math.ceil(count / block) }, (_, i) => {
    const rows = Math.min(block, count - i * block);
    const bytes = rows === block ? whole : pageBytes(rows, size);
    const at = MAGIC.length + i * whole;
    const column = struct(
      i32(1, FLOAT),
      list(2, I32, [varint(2 * PLAIN), varint(2 * RLE)]),
      list(3, BINARY, PATH.map(text)),
      i32(4, 0),
      i64(5, rows * size),
      i64(6, bytes),
      i64(7, bytes),
      i64(9, at),
    );
    return struct(list(1, STRUCT, [struct(i64(2, at), [3, STRUCT, column])]), i64(2, bytes), i64(3, rows));
  });
  const footer = struct(i32(1, 1), list(2, STRUCT, schema), i64(3, count), list(4, STRUCT, groups), [
    6,
    BINARY,
    text('limbeck'),
  ]);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, footer.length, true);
  return concatBytes([Uint8Array.from(footer), length, MAGIC]);
}
