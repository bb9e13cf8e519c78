import type { DType } from '../../../graph/types.ts';

/** Tensor types by their number. */
export const tensorTypes = [
  'float32',
  'float16',
  'int32',
  'uint8',
  'int64',
  'string',
  'bool',
  'int16',
  'complex64',
  'int8',
  'float64',
  'complex128',
  'uint64',
  'resource',
  'variant',
  'uint32',
  'uint16',
  'int4',
  'bfloat16',
  'int2',
  'uint4',
  'float8e4m3fn',
  'float8e5m2',
] as const;

export type TfliteType = (typeof tensorTypes)[number];

export function tensorType(dtype: DType): number {
  return tensorTypes.indexOf(dtype);
}

/** Bits of an element; undefined for elements without a fixed size. */
export const typeBits: Readonly<Partial<Record<TfliteType, number>>> = {
  float32: 32,
  float16: 16,
  bfloat16: 16,
  int32: 32,
  uint32: 32,
  uint8: 8,
  int8: 8,
  bool: 8,
  int16: 16,
  uint16: 16,
  int64: 64,
  uint64: 64,
  float64: 64,
  complex64: 64,
  complex128: 128,
  int4: 4,
  uint4: 4,
  int2: 2,
  float8e4m3fn: 8,
  float8e5m2: 8,
};
