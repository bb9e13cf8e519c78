import { bytesOf } from '../../base/bytes.ts';
import type { DType } from '../../graph/types.ts';
import type { arrays } from '../../graph/arrays.ts';
import { datatypeOf, elementsOf } from '../dtypes.ts';
import { Refusal } from '../refusal.ts';
import type { WireTensor } from '../types.ts';
import { bytesFromJson, typedView } from '../v2/json-tensor.ts';

/** The field of `InferTensorContents` that holds a type; float16 has none. */
const FIELDS: Partial<Record<DType, string>> = {
  float32: 'fp32_contents',
  int64: 'int64_contents',
  int32: 'int_contents',
  int16: 'int_contents',
  int8: 'int_contents',
  uint8: 'uint_contents',
  bool: 'bool_contents',
};

type Contents = Readonly<Record<string, readonly unknown[]>>;

export function bytesFromContents(name: string, dtype: DType, shape: readonly number[], given: Contents): Uint8Array {
  const field = FIELDS[dtype];
  if (field === undefined) throw new Refusal(400, `input ${name}: FP16 is sent in raw_input_contents`);
  const values = given[field] ?? [];
  const others = Object.keys(given).filter((key) => key !== field && (given[key]?.length ?? 0) > 0);
  const count = elementsOf(shape);
  if (values.length !== count || others.length > 0) {
    const found = others.length > 0 ? others.join(', ') : `${values.length}`;
    throw new Refusal(400, `input ${name}: ${datatypeOf(dtype)} has ${count} values in ${field}, received ${found}`);
  }
  if (dtype === 'int64') return bytesOf(BigInt64Array.from(values as string[], BigInt));
  // Floats may be anything here; whole numbers may be too large for their type.
  if (dtype === 'float32') return bytesOf(Float32Array.from(values as number[]));
  return bytesFromJson(name, dtype, [count], values);
}

export function contentsOf({ name, dtype, shape, bytes }: WireTensor): Record<string, unknown[]> {
  const field = FIELDS[dtype];
  if (field === undefined) throw new Refusal(400, `output ${name}: FP16 is received in raw_output_contents`);
  const data = typedView(dtype, shape, bytes);
  if (data instanceof BigInt64Array) return { [field]: Array.from(data, String) };
  return {
    [field]: Array.from(data as InstanceType<(typeof arrays)['int32']>, (v) => (dtype === 'bool' ? v !== 0 : v)),
  };
}
