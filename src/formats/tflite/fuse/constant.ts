import { broadcast } from '../../../graph/shapes.ts';
import type { TensorData } from '../../../graph/types.ts';
import type { Value } from '../lower/program.ts';
import { permuted } from '../tensor.ts';
import type { Rule } from './rewrite.ts';

const UNARY: Readonly<Record<string, (x: number) => number>> = {
  ABS: Math.abs,
  EXP: Math.exp,
  LOG: Math.log,
  NEG: (x) => -x,
  RSQRT: (x) => 1 / Math.sqrt(x),
  SQRT: Math.sqrt,
  SQUARE: (x) => x * x,
};

const BINARY: Readonly<Record<string, (a: number, b: number) => number>> = {
  ADD: (a, b) => a + b,
  SUB: (a, b) => a - b,
  MUL: (a, b) => a * b,
  DIV: (a, b) => a / b,
  MAXIMUM: Math.max,
  MINIMUM: Math.min,
};

/** Computes values that depend on constants alone. */
export const foldConstant: Rule = ({ op, inputs, outputs }, { program }) => {
  const values = inputs.map((name) => (name === '' ? undefined : program.value(name)));
  const output = program.value(outputs[0]!);
  if ([...program.outputs.values()].includes(outputs[0]!)) return undefined;
  if (values.length === 0 || values.some((value) => value?.data === undefined)) return undefined;
  const data = fold(op, values as readonly (Value & { data: TensorData })[], output.type.shape as readonly number[]);
  if (data === undefined) return undefined;
  return { same: program.add(outputs[0]!, { ...output, data }) };
};

function fold(
  op: string,
  [a, b]: readonly (Value & { data: TensorData })[],
  shape: readonly number[],
): TensorData | undefined {
  const from = a!.type.shape as readonly number[];
  if (op === 'RESHAPE') return a!.data;
  if (op === 'TRANSPOSE') return permuted(a!.data, from, Array.from(b!.data as Int32Array));
  if (a!.type.dtype !== 'float32') return undefined;
  if (UNARY[op] !== undefined) return (a!.data as Float32Array).map(UNARY[op]);
  const binary = BINARY[op];
  if (binary === undefined) return undefined;
  const [x, y] = [spread(a!, shape), spread(b!, shape)];
  return x.map((value, i) => binary(value, y[i]!));
}

/** A tensor's values broadcast to `shape`. */
function spread({ type, data }: Value & { data: TensorData }, shape: readonly number[]): Float32Array {
  const from = type.shape as readonly number[];
  broadcast(from, shape);
  const missing = shape.length - from.length;
  const strides = from.map((dim, i) => (dim === 1 ? 0 : from.slice(i + 1).reduce((p, q) => p * q, 1)));
  return Float32Array.from({ length: shape.reduce((p, q) => p * q, 1) }, (_, flat) => {
    let [rest, at] = [flat, 0];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += (rest % shape[axis]!) * (strides[axis - missing] ?? 0);
      rest = Math.floor(rest / shape[axis]!);
    }
    return Number(data[at]);
  });
}
