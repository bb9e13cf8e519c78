import { fromHalfArray, toHalfArray } from '../base/bytes.ts';
import type { DType, TensorData } from '../graph/types.ts';
import { UserError } from '../base/errors.ts';
import { arrays } from './arrays.ts';

/** The same numbers in another type; those of `data` that are halves are told by `from`. */
export function typedAs(dtype: DType, data: TensorData, from?: DType): TensorData {
  if (dtype === from || (from === undefined && data instanceof arrays[dtype] && dtype !== 'float16')) return data;
  const plain = from === 'float16' ? fromHalfArray(data as Uint16Array) : data;
  if (dtype === 'float16') return toHalfArray(Float32Array.from(plain as Float32Array, Number));
  if (dtype === 'int64') return BigInt64Array.from(plain as Float32Array, (value) => BigInt(Math.round(value)));
  return new arrays[dtype](Array.from(plain as Float32Array, Number));
}

const INTEGERS: ReadonlySet<DType> = new Set(['int32', 'int64', 'int16', 'int8', 'uint8', 'bool']);

/** Samples in the type of the input that they are for. `UserError` for fractions where it takes whole numbers: they would be rounded. */
export function samplesAs(dtype: DType, data: TensorData, input: string): TensorData {
  const isFloat = INTEGERS.has(dtype) && data instanceof Float32Array;
  const at = isFloat ? data.findIndex((value) => !Number.isInteger(value)) : -1;
  if (at === -1) return typedAs(dtype, data);
  throw new UserError(
    `input ${input}: expected whole numbers (${dtype}), received ${data[at]!} in the samples`,
    'Set `dataset.normalize: none`, and give it ids or counts.',
  );
}
