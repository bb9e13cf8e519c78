import { Buffer } from 'node:buffer';

/** Types of Thrift's compact protocol. */
const [I32, I64, TEXT, LIST, STRUCT] = [5, 6, 8, 9, 12];
const [DOUBLE, REQUIRED, PLAIN, RLE, UNCOMPRESSED, DATA_PAGE] = [5, 0, 0, 3, 0, 0];
const MAGIC = Buffer.from('PAR1');

/** A Parquet file of columns of numbers, by their names: one row group, one page a column, not compressed. */
export function parquetOf(columns) {
  const names = Object.keys(columns);
  const rows = columns[names[0]].length;
  const parts = [MAGIC];
  let at = MAGIC.length;
  const chunks = names.map((name) => {
    const values = Buffer.from(Float64Array.from(columns[name]).buffer);
    const page = { 1: [I32, rows], 2: [I32, PLAIN], 3: [I32, RLE], 4: [I32, RLE] };
    const size = [I32, values.length];
    const header = struct({ 1: [I32, DATA_PAGE], 2: size, 3: size, 5: [STRUCT, page] });
    const from = at;
    parts.push(header, values);
    at += header.length + values.length;
    const whole = [I64, at - from];
    return {
      2: [I64, from],
      3: [
        STRUCT,
        {
          ...{ 1: [I32, DOUBLE], 2: [LIST, I32, [PLAIN]], 3: [LIST, TEXT, [name]], 4: [I32, UNCOMPRESSED] },
          ...{ 5: [I64, rows], 6: whole, 7: whole, 9: [I64, from] },
        },
      ],
    };
  });
  const fields = names.map((name) => ({ 1: [I32, DOUBLE], 3: [I32, REQUIRED], 4: [TEXT, name] }));
  const schema = [{ 4: [TEXT, 'schema'], 5: [I32, names.length] }, ...fields];
  const group = { 1: [LIST, STRUCT, chunks], 2: [I64, at], 3: [I64, rows] };
  const footer = struct({ 1: [I32, 1], 2: [LIST, STRUCT, schema], 3: [I64, rows], 4: [LIST, STRUCT, [group]] });
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footer.length);
  return Buffer.concat([...parts, footer, length, MAGIC]);
}

function struct(fields) {
  let last = 0;
  const parts = Object.entries(fields).map(([id, [type, ...value]]) => {
    const head = Buffer.of(((Number(id) - last) << 4) | type);
    last = Number(id);
    return Buffer.concat([head, encoded(type, ...value)]);
  });
  return Buffer.concat([...parts, Buffer.of(0)]);
}

function encoded(type, value, items) {
  if (type === I32 || type === I64) return varint(2 * value);
  if (type === TEXT) return Buffer.concat([varint(Buffer.byteLength(value)), Buffer.from(value)]);
  if (type === STRUCT) return struct(value);
  const head = items.length < 15 ? Buffer.of((items.length << 4) | value) : Buffer.concat([Buffer.of(0xf0 | value), varint(items.length)]); // prettier-ignore
  return Buffer.concat([head, ...items.map((item) => encoded(value, item))]);
}

function varint(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Buffer.from([...bytes, value]);
}
