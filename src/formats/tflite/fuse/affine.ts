import type { Operation, Program, TfliteValue } from '../lower/program.ts';
import { changed } from '../lower/program.ts';
import type { FusionRule } from './rewrite.ts';

/** Operators with filter and bias, and the filter axis of the output channels. */
export const CHANNEL_AXES: Readonly<Record<string, number>> = {
  CONV_2D: 0,
  DEPTHWISE_CONV_2D: 3,
  FULLY_CONNECTED: 0,
  TRANSPOSE_CONV: 0,
};

/** Indexes of filter and bias among the inputs. */
export function weightInputs(op: string): { filter: number; bias: number } {
  return op === 'TRANSPOSE_CONV' ? { filter: 1, bias: 3 } : { filter: 1, bias: 2 };
}

/** Folds a multiplication or addition of constants, as from bias and batch norm, into a convolution or fully connected layer. */
export const foldAffine: FusionRule = (operation, { program, only, isApart, oneScale }) => {
  if (!['ADD', 'SUB', 'MUL'].includes(operation.op)) return undefined;
  const [a, b] = operation.inputs as [string, string];
  const constant = program.data(b) !== undefined ? b : operation.op === 'SUB' ? undefined : a;
  if (constant === undefined) return undefined;
  const layer = only(constant === b ? a : b);
  if (layer === undefined || CHANNEL_AXES[layer.op] === undefined || layer.options?.fusedActivationFunction)
    return undefined;
  if (isApart(operation, layer)) return undefined;
  const values = perChannel(program, constant, layer.outputs[0]!);
  if (values === undefined || !sameRank(program, operation, layer)) return undefined;
  const folded =
    operation.op === 'MUL' ? scaled(program, layer, values, oneScale) : shifted(program, layer, values, operation.op);
  if (folded === undefined) return undefined;
  const options = { ...folded.options, ...activationOf(operation) };
  return { insert: [changed(folded, { outputs: operation.outputs, options })] };
};

function activationOf({ options }: Operation): Record<string, unknown> {
  const { fusedActivationFunction } = options ?? {};
  return fusedActivationFunction ? { fusedActivationFunction } : {};
}

function sameRank(program: Program, operation: Operation, layer: Operation): boolean {
  return program.type(operation.outputs[0]!).shape.length === program.type(layer.outputs[0]!).shape.length;
}

/** A constant as one number for each channel of `output`; undefined if it varies otherwise. */
function perChannel(program: Program, constant: string, output: string): Float32Array | undefined {
  const { type, data } = program.value(constant);
  const channels = program.type(output).shape.at(-1);
  if (data === undefined || type.dtype !== 'float32' || typeof channels !== 'number') return undefined;
  if (data.length === 1) return new Float32Array(channels).fill(Number(data[0]));
  return data.length === channels && type.shape.at(-1) === channels ? (data as Float32Array) : undefined;
}

function shifted(program: Program, layer: Operation, by: Float32Array, op: string): Operation | undefined {
  const { bias } = weightInputs(layer.op);
  const old = program.data(layer.inputs[bias] ?? '');
  if (old === undefined && (layer.inputs[bias] ?? '') !== '') return undefined;
  const sign = op === 'SUB' ? -1 : 1;
  const sum = by.map((value, i) => Number(old?.[i] ?? 0) + sign * value);
  return withBias(program, layer, sum);
}

function scaled(program: Program, layer: Operation, by: Float32Array, oneScale: boolean): Operation | undefined {
  const { filter, bias } = weightInputs(layer.op);
  const name = layer.inputs[filter]!;
  const value = program.value(name);
  if (value.type.dtype !== 'float32' || value.data === undefined) return undefined;
  // The single scale would become one for each output, which older runtimes do not support for this operator.
  const hasOne = value.quantization === undefined ? oneScale : value.quantization.scales.length === 1;
  if (layer.op === 'FULLY_CONNECTED' && hasOne && !isUniform(by)) return undefined;
  const product = program.add(name, scaleChannels(value, by, CHANNEL_AXES[layer.op]!));
  const inputs = layer.inputs.map((input, i) => (i === filter ? product : input));
  const old = program.data(inputs[bias] ?? '') as Float32Array | undefined;
  const result = changed(layer, { inputs });
  return old === undefined
    ? result
    : withBias(
        program,
        result,
        old.map((item, i) => item * by[i]!),
      );
}

function scaleChannels({ type, data, quantization }: TfliteValue, by: Float32Array, axis: number): TfliteValue {
  const shape = type.shape as readonly number[];
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const product = (data as Float32Array).map((item, i) => item * by[Math.floor(i / inner) % by.length]!);
  if (quantization === undefined) return { type, data: product };
  // The stored integers do not change: the factor is applied to the scales.
  const { scales, zeroPoints } = quantization;
  if (scales.length === 1 && isUniform(by)) {
    const scale = Math.fround(scales[0]! * Math.abs(by[0]!)) || 1;
    return { type, data: product, quantization: { ...quantization, scales: [scale] } };
  }
  // One scale for all, or one for each input channel of a depthwise filter with a multiplier: repeated for its outputs.
  const repeated = (values: readonly number[]): number[] =>
    Array.from(by, (_, i) => values[Math.floor((i * values.length) / by.length)]!);
  const all = repeated(scales);
  return {
    type,
    data: product,
    quantization: {
      ...quantization,
      axis,
      scales: all.map((scale, i) => Math.fround(scale * Math.abs(by[i]!)) || 1),
      zeroPoints: repeated(zeroPoints),
    },
  };
}

function isUniform(by: Float32Array): boolean {
  return by.every((factor) => Math.abs(factor) === Math.abs(by[0]!));
}

export function withBias(program: Program, layer: Operation, values: Float32Array): Operation {
  const { bias } = weightInputs(layer.op);
  const old = layer.inputs[bias] ?? '';
  const wish = old === '' ? `${layer.inputs[weightInputs(layer.op).filter]!}/bias` : old;
  const name = program.constant({ dtype: 'float32', shape: [values.length] }, values, wish);
  const inputs = Array.from({ length: bias + 1 }, (_, i) => (i === bias ? name : (layer.inputs[i] ?? '')));
  return changed(layer, { inputs });
}
