import type { TensorQuantization } from '../../../graph/quantization.ts';
import { asymmetric, magnitudes, symmetric } from '../../../graph/quantization.ts';
import { elementCount, tensor, tensorData } from '../model.ts';
import type { OnnxNode, OnnxTensor } from '../model.ts';

/** Scales of a stored filter [out, ...] or matrix as it lies in the file: those of the value in the graph, else its own range. */
export function weightScales(
  { op }: OnnxNode,
  weights: OnnxTensor,
  given: TensorQuantization | undefined,
): TensorQuantization {
  if (op !== 'Conv') return given?.scales.length === 1 ? given : symmetric(magnitudesOf(weights), 'int8');
  const channels = weights.dims[0]!;
  if (given === undefined) return symmetric(magnitudesOf(weights, 0), 'int8', 0);
  // A depthwise filter has one scale for each channel that comes in, and may give several for each.
  const repeat = channels / given.scales.length;
  const scales = Array.from({ length: channels }, (_, i) => given.scales[Math.floor(i / repeat)]!);
  return { dtype: 'int8', scales, zeroPoints: scales.map(() => 0), axis: 0 };
}

function magnitudesOf(weights: OnnxTensor, axis?: number): number[] {
  return magnitudes(tensorData(weights) as Float32Array, weights.dims, axis);
}

/** A constant operand of an addition or product: one scale, its own range. */
export function constantScale(constant: OnnxTensor): TensorQuantization {
  const values = tensorData(constant) as Float32Array;
  return asymmetric(
    values.reduce((a, b) => Math.min(a, b), 0),
    values.reduce((a, b) => Math.max(a, b), 0),
    'int8',
  );
}

/** A tensor's values as integers, half away from zero as everywhere in TFLite; weights keep to -127 … 127. */
export function integers(name: string, source: OnnxTensor, q: TensorQuantization, narrow: boolean): OnnxTensor {
  const values = tensorData(source) as Float32Array;
  const inner = q.axis === undefined ? 1 : elementCount(source.dims.slice(q.axis + 1));
  const wide = q.dtype === 'int32';
  const [low, high] = wide ? [-2147483648, 2147483647] : [narrow ? -127 : -128, 127];
  const out = wide ? new Int32Array(values.length) : new Int8Array(values.length);
  values.forEach((value, i) => {
    const slice = q.axis === undefined ? 0 : Math.floor(i / inner) % q.scales.length;
    const scaled = value / q.scales[slice]!;
    const rounded = Math.sign(scaled) * Math.round(Math.abs(scaled)) + q.zeroPoints[slice]!;
    out[i] = Math.min(high, Math.max(low, rounded));
  });
  return tensor(name, wide ? 'int32' : 'int8', source.dims, out);
}

/** A bias is added to sums of products: its scale is the product of theirs. */
export function biasScales(input: TensorQuantization, weights: TensorQuantization): TensorQuantization {
  const scales = weights.scales.map((scale) => Math.fround(scale * input.scales[0]!));
  return {
    dtype: 'int32',
    scales,
    zeroPoints: scales.map(() => 0),
    ...(scales.length > 1 || weights.axis !== undefined ? { axis: 0 } : {}),
  };
}
