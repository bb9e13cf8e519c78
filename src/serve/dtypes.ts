import type { DType } from '../graph/types.ts';

/** Names of the tensor types in the protocol, and bytes of an element. */
const TABLE: readonly (readonly [dtype: DType, datatype: string, bytes: number])[] = [
  ['float32', 'FP32', 4],
  ['float16', 'FP16', 2],
  ['int64', 'INT64', 8],
  ['int32', 'INT32', 4],
  ['int16', 'INT16', 2],
  ['int8', 'INT8', 1],
  ['uint8', 'UINT8', 1],
  ['bool', 'BOOL', 1],
];

const byDtype = new Map(TABLE.map((row) => [row[0], row]));

export function datatypeOf(dtype: DType): string {
  return byDtype.get(dtype)![1];
}

function elementBytes(dtype: DType): number {
  return byDtype.get(dtype)![2];
}

export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function byteLengthOf(dtype: DType, shape: readonly number[]): number {
  return elementsOf(shape) * elementBytes(dtype);
}
