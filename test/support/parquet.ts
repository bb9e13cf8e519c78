/** A field of a Thrift struct in the compact protocol: i32 and i64 as numbers, text and bytes as binary, arrays as lists, objects as structs. */
export type Thrift =
  number | bigint | boolean | string | Uint8Array | readonly Thrift[] | { readonly [field: number]: Thrift };

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  for (; value > 127n; value >>= 7n) bytes.push(Number(value & 127n) | 128);
  return [...bytes, Number(value)];
}
const zigzag = (value: bigint): number[] => varint(value < 0n ? -2n * value - 1n : 2n * value);

function typeOf(value: Thrift): number {
  if (typeof value === 'boolean') return value ? 1 : 2;
  if (typeof value === 'number') return 5;
  if (typeof value === 'bigint') return 6;
  if (typeof value === 'string' || value instanceof Uint8Array) return 8;
  return Array.isArray(value) ? 9 : 12;
}

/** The bytes of a value; a struct has its fields by their numbers. */
export function thrift(value: Thrift): number[] {
  if (typeof value === 'boolean') return [];
  if (typeof value === 'number' || typeof value === 'bigint') return zigzag(BigInt(value));
  if (typeof value === 'string' || value instanceof Uint8Array) {
    const bytes = Buffer.from(value);
    return [...varint(BigInt(bytes.length)), ...bytes];
  }
  if (Array.isArray(value)) {
    const items = value as readonly Thrift[];
    return [0xf0 | typeOf(items[0] ?? 0), ...varint(BigInt(items.length)), ...items.flatMap(thrift)];
  }
  let before = 0;
  const fields = Object.entries(value as Record<number, Thrift>).flatMap(([field, one]) => {
    const step = Number(field) - before;
    before = Number(field);
    return [(step << 4) | typeOf(one), ...thrift(one)];
  });
  return [...fields, 0];
}

export interface ParquetPage {
  readonly header: Thrift;
  readonly body: Uint8Array;
}

/** One column of a file: its pages with their headers, its schema below the root, and the number of its rows and values. */
export interface ParquetColumn {
  readonly schema: readonly Thrift[];
  readonly path: readonly string[];
  readonly type: number;
  readonly pages: readonly ParquetPage[];
  readonly values: number;
  readonly codec?: number;
}

/** A Parquet file of one row group with one column, whose tables say what they are told. */
export function parquetFile(rows: number, { schema, path, type, pages, values, codec = 0 }: ParquetColumn): Buffer {
  const chunk = Buffer.concat(pages.map(({ header, body }) => Buffer.concat([Buffer.from(thrift(header)), body])));
  const size = BigInt(chunk.length);
  const column = {
    ...{ 1: type, 2: [0], 3: path, 4: codec, 5: BigInt(values), 6: size, 7: size, 9: 4n },
  };
  const footer = thrift({
    ...{ 1: 1, 2: [{ 4: 'schema', 5: 1 }, ...schema], 3: BigInt(rows) },
    4: [{ 1: [{ 2: 4n, 3: column }], 2: size, 3: BigInt(rows) }],
  });
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footer.length);
  return Buffer.concat([Buffer.from('PAR1'), chunk, Buffer.from(footer), length, Buffer.from('PAR1')]);
}
