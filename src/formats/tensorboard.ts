/**
 * TensorBoard's event files: TFRecords of tensorflow.Event messages. Written by hand, because the four messages that curves
 * need are smaller than a protobuf library. Formats: tensorflow/core/lib/io/record_writer.h, tensorflow/core/util/event.proto,
 * tensorflow/core/framework/summary.proto.
 */

export interface ScalarEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  readonly scalars: Readonly<Record<string, number>>;
}

/** The record that every event file begins with. */
export function fileVersionRecord(wallTime: number): Uint8Array {
  return record(message([double(1, wallTime), bytes(3, text('brain.Event:2'))]));
}

/** Says that a program starts at this step: what an earlier file has from it on is left aside by TensorBoard. */
export function restartRecord(wallTime: number, step: number): Uint8Array {
  const START = 1;
  return record(message([double(1, wallTime), varintField(2, step), bytes(7, varintField(1, START))]));
}

export function scalarRecord({ wallTime, step, scalars }: ScalarEvent): Uint8Array {
  const values = Object.entries(scalars).map(([tag, value]) =>
    bytes(1, message([bytes(1, text(tag)), float(2, value)])),
  );
  return record(message([double(1, wallTime), varintField(2, step), bytes(5, message(values))]));
}

/** Length and content, each with its masked CRC-32C. */
export function record(data: Uint8Array): Uint8Array {
  const out = new Uint8Array(data.length + 16);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, masked(crc32c(out.subarray(0, 8))), true);
  out.set(data, 12);
  view.setUint32(12 + data.length, masked(crc32c(data)), true);
  return out;
}

/** A checksum of data that holds checksums is weak, so TFRecord stores it rotated and shifted. */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Castagnoli's polynomial, reflected. */
const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

export function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xff]!;
  return (crc ^ 0xffffffff) >>> 0;
}

function message(fields: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(fields.reduce((sum, { length }) => sum + length, 0));
  fields.reduce((at, field) => {
    out.set(field, at);
    return at + field.length;
  }, 0);
  return out;
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** Not negative, below 2^53. */
function varint(value: number): Uint8Array {
  const out: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128);
  return Uint8Array.from([...out, rest]);
}

function varintField(field: number, value: number): Uint8Array {
  return message([varint(field * 8), varint(value)]);
}

function bytes(field: number, data: Uint8Array): Uint8Array {
  return message([varint(field * 8 + 2), varint(data.length), data]);
}

function double(field: number, value: number): Uint8Array {
  const data = new Uint8Array(8);
  new DataView(data.buffer).setFloat64(0, value, true);
  return message([varint(field * 8 + 1), data]);
}

function float(field: number, value: number): Uint8Array {
  const data = new Uint8Array(4);
  new DataView(data.buffer).setFloat32(0, value, true);
  return message([varint(field * 8 + 5), data]);
}
