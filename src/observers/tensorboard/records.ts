import { writeMessage } from '../../formats/protobuf/message.ts';
import { EventSchema } from './tensorboard_pb.ts';

/** TensorBoard's event files: TFRecords of tensorflow.Event messages. Format: tensorflow/core/lib/io/record_writer.h. */

export interface ScalarEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  readonly scalars: Readonly<Record<string, number>>;
}

/** The record that every event file begins with. */
export function fileVersionRecord(wallTime: number): Uint8Array {
  return record(writeMessage(EventSchema, { wallTime, fileVersion: 'brain.Event:2' }));
}

/** Record that a program starts at this step: TensorBoard then ignores what an earlier file has from it on. */
export function restartRecord(wallTime: number, step: number): Uint8Array {
  const START = 1;
  return record(writeMessage(EventSchema, { wallTime, step: BigInt(step), sessionLog: { status: START } }));
}

export function scalarRecord({ wallTime, step, scalars }: ScalarEvent): Uint8Array {
  const value = Object.entries(scalars).map(([tag, scalar]) => ({ tag, simpleValue: Math.fround(scalar) }));
  return record(writeMessage(EventSchema, { wallTime, step: BigInt(step), summary: { value } }));
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
