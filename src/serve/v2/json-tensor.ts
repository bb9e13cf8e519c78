import { bytesOf } from '../../base/bytes.ts';
import { shown } from '../../base/errors.ts';
import type { DType, TensorData } from '../../graph/types.ts';
import { arrays } from '../../graph/arrays.ts';
import { datatypeOf, elementsOf } from '../dtypes.ts';
import { Refusal } from '../refusal.ts';
import type { WireTensor } from '../types.ts';

/** Ranges of whole numbers that each type can hold. */
const RANGES: Partial<Record<DType, readonly [number, number]>> = {
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  int8: [-128, 127],
  uint8: [0, 255],
};

const FLOAT_MAX = 3.4028234663852886e38;

/** `data` of a request, flat or nested as its shape says, as bytes. `Refusal` for a value that the type cannot hold. */
export function bytesFromJson(name: string, dtype: DType, shape: readonly number[], data: unknown): Uint8Array {
  if (dtype === 'float16') throw new Refusal(400, `input ${name}: FP16 cannot be sent as JSON, but as binary data`);
  const count = elementsOf(shape);
  const wrong = (): Refusal =>
    new Refusal(
      400,
      `input ${name}: expected data of ${count} values, flat or nested as its shape [${shape.join(', ')}]`,
    );
  if (!Array.isArray(data)) throw wrong();
  const isNested = Array.isArray(data[0]) && shape.length > 1;
  // Compared before there is memory for as many.
  if (isNested ? !hasShape(data, shape, 0) : data.length !== count) throw wrong();
  const out = new arrays[dtype](count);
  const store = storeOf(name, dtype, out);
  let at = 0;
  const walk = (values: readonly unknown[], depth: number): void => {
    if (depth < shape.length - 1) for (const inner of values) walk(inner as readonly unknown[], depth + 1);
    else for (let i = 0; i < values.length; i++) store(at++, values[i]);
  };
  walk(data, isNested ? 0 : shape.length - 1);
  return bytesOf(out);
}

function hasShape(values: unknown, shape: readonly number[], depth: number): boolean {
  if (!Array.isArray(values) || values.length !== shape[depth]) return false;
  return depth === shape.length - 1 || values.every((inner) => hasShape(inner, shape, depth + 1));
}

function storeOf(name: string, dtype: DType, out: TensorData): (at: number, value: unknown) => void {
  const refuse = (at: number, value: unknown): never => {
    throw new Refusal(400, `input ${name}: value ${at} is no ${datatypeOf(dtype)}, received ${shown(value)}`);
  };
  if (dtype === 'bool') {
    return (at, value) => {
      if (value !== true && value !== false && value !== 0 && value !== 1) refuse(at, value);
      out[at] = Number(value);
    };
  }
  if (dtype === 'float32') {
    return (at, value) => {
      if (typeof value !== 'number' || value > FLOAT_MAX || value < -FLOAT_MAX) refuse(at, value);
      out[at] = value as number;
    };
  }
  const [least, most] = RANGES[dtype]!;
  return (at, value) => {
    if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) refuse(at, value);
    if (dtype === 'int64') (out as BigInt64Array)[at] = BigInt(value as number);
    else out[at] = value as number;
  };
}

/** The elements of an answer as a JSON array. `Refusal` for what JSON has no number for. */
export function jsonFrom({ name, dtype, shape, bytes }: WireTensor): string {
  const data = typedView(dtype, shape, bytes);
  if (dtype === 'float16') throw new Refusal(400, `output ${name}: FP16 cannot be sent as JSON: ask for binary data`);
  if (dtype === 'int64') return `[${(data as BigInt64Array).join(',')}]`;
  if (dtype === 'bool') return JSON.stringify(Array.from(data as Uint8Array, (value) => value !== 0));
  if (dtype !== 'float32') return `[${(data as Int32Array).join(',')}]`;
  for (const value of data as Float32Array) {
    if (Number.isFinite(value)) continue;
    throw new Refusal(400, `output ${name} holds ${value}, which JSON cannot express: ask for binary data`);
  }
  return `[${(data as Float32Array).join(',')}]`;
}

/** A view of the bytes, or of a copy where they do not lie as the type wants. */
export function typedView(dtype: DType, shape: readonly number[], bytes: Uint8Array): TensorData {
  const Type = arrays[dtype];
  const placed = bytes.byteOffset % Type.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes);
  return new Type(placed.buffer as ArrayBuffer, placed.byteOffset, elementsOf(shape));
}
