import * as tf from '@tensorflow/tfjs-core';
import type { DType } from '../../graph/types.ts';
import type { LazyBackend } from '../backend.ts';
import { BACKEND_NAME, lazyBackend } from '../backend.ts';
import type { Value } from '../value.ts';
import { leaf, op } from '../value.ts';

/** Records a kernel: takes its inputs by tfjs' names and its attributes, returns the values of its outputs. */
export type Row = (inputs: Inputs, attrs: Attributes) => Value | Value[];
export type Inputs = Readonly<Record<string, Value>>;
// oxlint-disable-next-line typescript/no-explicit-any -- as tfjs passes them: each row knows what its kernel takes
export type Attributes = Readonly<Record<string, any>>;

export type Table = Readonly<Record<string, Row>>;

/** A kernel that needs the tensors themselves (shared data, strings, complex numbers, values). */
export type TensorRow = (
  inputs: TensorInputs,
  attrs: Attributes,
  backend: LazyBackend,
) => tf.TensorInfo | tf.TensorInfo[];
export type TensorInputs = Readonly<Record<string, tf.TensorInfo>>;
export type TensorTable = Readonly<Record<string, TensorRow>>;

export function registerTensorTable(table: TensorTable): void {
  for (const [kernelName, row] of Object.entries(table)) registerTensorRow(kernelName, row);
}

function registerTensorRow(kernelName: string, row: TensorRow): void {
  tf.registerKernel({
    kernelName,
    backendName: BACKEND_NAME,
    kernelFunc: ({ inputs, attrs }) =>
      row(inputs as unknown as TensorInputs, (attrs ?? {}) as Attributes, lazyBackend()),
  });
}

export function onValues(row: Row): TensorRow {
  return (inputs, attrs, backend) => {
    const outputs = row(inputValues(inputs, backend), attrs);
    return Array.isArray(outputs) ? outputs.map((value) => backend.hold(value)) : backend.hold(outputs);
  };
}

export function inputValues(inputs: TensorInputs, backend: LazyBackend): Inputs {
  const values: Record<string, Value> = {};
  for (const [name, input] of Object.entries(inputs)) {
    if (input !== undefined && input !== null) values[name] = backend.lookup(input);
  }
  return values;
}

export function rank(x: Value): number {
  return x.type.shape.length;
}

export function sizeOfShape(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

/** Axes from tfjs' argument (one, several, or none for all; negative from the end), sorted. */
export function axesOf(axis: number | readonly number[] | null | undefined, x: Value): number[] {
  const list = axis ?? x.type.shape.map((_, i) => i);
  return tf.util.parseAxisParam(list as number | number[], [...x.type.shape]).sort((a, b) => a - b);
}

export function scalar(value: number, dtype: DType = 'float32'): Value {
  return leaf(
    dtype === 'float32' ? Float32Array.of(value) : dtype === 'int32' ? Int32Array.of(value) : Uint8Array.of(value),
    {
      dtype,
      shape: [],
    },
  );
}

export function constant(
  values: readonly number[],
  shape: readonly number[],
  dtype: 'float32' | 'int32' | 'bool' = 'float32',
): Value {
  const data =
    dtype === 'float32'
      ? Float32Array.from(values)
      : dtype === 'int32'
        ? Int32Array.from(values)
        : Uint8Array.from(values);
  return leaf(data, { dtype, shape });
}

export function cast(x: Value, dtype: DType): Value {
  return x.type.dtype === dtype ? x : op('Cast', [x], { dtype });
}

export function reshape(x: Value, shape: readonly number[]): Value {
  const same = rank(x) === shape.length && shape.every((dim, i) => dim === x.type.shape[i]);
  return same ? x : op('Reshape', [x], { shape: [...shape] });
}

export function transpose(x: Value, perm: readonly number[]): Value {
  return perm.every((p, i) => p === i) ? x : op('Transpose', [x], { perm: [...perm] });
}

export function broadcastTo(x: Value, shape: readonly number[]): Value {
  const same = rank(x) === shape.length && shape.every((dim, i) => dim === x.type.shape[i]);
  return same ? x : op('BroadcastTo', [x], { shape: [...shape] });
}

/** A constant tensor as a broadcast scalar, whose size costs nothing and may be symbolic. */
export function filled(value: number, shape: readonly number[], dtype: DType = 'float32'): Value {
  return broadcastTo(scalar(value, dtype), shape);
}

export function slice(x: Value, begin: readonly number[], length: readonly number[]): Value {
  const whole = begin.every((b, i) => b === 0 && length[i] === x.type.shape[i]);
  return whole
    ? x
    : op('Slice', [x], {
        begin: [...begin],
        size: length.map((n, i) => (begin[i] === 0 && n === x.type.shape[i] ? -1 : n)),
      });
}

export function concat(values: readonly Value[], axis: number): Value {
  return values.length === 1 ? values[0]! : op('Concat', values, { axis });
}

export function pad(x: Value, paddings: readonly (readonly number[])[], constantValue = 0): Value {
  const flat = paddings.flat();
  return flat.every((n) => n === 0) ? x : op('Pad', [x], { paddings: flat, constantValue });
}

export function toFloat(x: Value): Value {
  return cast(x, 'float32');
}
