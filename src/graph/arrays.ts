import { fromHalfArray, toHalfArray } from '../base/typed-bytes.ts';
import type { DType, TensorData } from './types.ts';

/** Typed array for the elements of a type; float16 as bits. */
export const arrays = {
  float32: Float32Array,
  float16: Uint16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  int16: Int16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const;

/** The numbers in another type; `from`: type of `data`, to recognize float16 bits. */
export function typedAs(dtype: DType, data: TensorData, from?: DType): TensorData {
  if (dtype === from || (from === undefined && data instanceof arrays[dtype] && dtype !== 'float16')) return data;
  const plain = from === 'float16' ? fromHalfArray(data as Uint16Array) : data;
  if (dtype === 'float16') return toHalfArray(Float32Array.from(plain as Float32Array, Number));
  if (dtype === 'int64') return BigInt64Array.from(plain as Float32Array, (value) => BigInt(Math.round(value)));
  return new arrays[dtype](Array.from(plain as Float32Array, Number));
}
