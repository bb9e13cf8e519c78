import { fromHalfArray, toHalfArray } from '../../base/bytes.ts';
import type { DType, TensorData } from '../../graph/types.ts';
import { arrays } from '../../runtime/arrays.ts';

/** The same numbers in another type; those of `data` that are halves are told by `from`. */
export function typedAs(dtype: DType, data: TensorData, from?: DType): TensorData {
  if (dtype === from || (from === undefined && data instanceof arrays[dtype] && dtype !== 'float16')) return data;
  const plain = from === 'float16' ? fromHalfArray(data as Uint16Array) : data;
  if (dtype === 'float16') return toHalfArray(Float32Array.from(plain as Float32Array, Number));
  if (dtype === 'int64') return BigInt64Array.from(plain as Float32Array, (value) => BigInt(Math.round(value)));
  return new arrays[dtype](Array.from(plain as Float32Array, Number));
}
