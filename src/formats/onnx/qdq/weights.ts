import type { TensorQuantization } from '../../../graph/quantization.ts';
import { integerRange, magnitudes, symmetric } from '../../../graph/quantization.ts';
import { elementCount, tensor, tensorData } from '../model.ts';
import type { OnnxNode, OnnxTensor } from '../model.ts';

/**
 * Scales of a stored filter [out, ...] or matrix in the file's layout: those of the graph's value, else by its range, one for each output channel.
 */
export function fileWeightScales(
  node: OnnxNode,
  weights: OnnxTensor,
  given: TensorQuantization | undefined,
): TensorQuantization {
  if (node.op !== 'Conv' && weights.dims.length > 2)
    return given?.scales.length === 1 ? given : symmetric(magnitudesOf(weights), 'int8');
  const axis = channelAxis(node, weights);
  if (given === undefined) return symmetric(magnitudesOf(weights, axis), 'int8', axis);
  if (given.axis === undefined) return given;
  // A depthwise filter has a scale for each input channel, and may have several output channels for each.
  const channels = weights.dims[axis]!;
  const repeat = channels / given.scales.length;
  const scales = Array.from({ length: channels }, (_, i) => given.scales[Math.floor(i / repeat)]!);
  return { dtype: 'int8', scales, zeroPoints: scales.map(() => 0), axis };
}

/** Axis of the output channels in a stored filter or matrix. */
export function channelAxis({ op, attrs }: OnnxNode, { dims }: OnnxTensor): number {
  if (op === 'Conv') return 0;
  const transposed = op === 'Gemm' && attrs.get('transB')?.value === 1;
  return transposed ? dims.length - 2 : dims.length - 1;
}

function magnitudesOf(weights: OnnxTensor, axis?: number): number[] {
  return magnitudes(tensorData(weights) as Float32Array, weights.dims, axis);
}

/** A tensor's values as integers, halves away from zero as in TFLite; weights are limited to -127 … 127. */
export function quantizedIntegers(
  name: string,
  source: OnnxTensor,
  q: TensorQuantization,
  narrow: boolean,
): OnnxTensor {
  const values = tensorData(source) as Float32Array;
  const inner = q.axis === undefined ? 1 : elementCount(source.dims.slice(q.axis + 1));
  const dtype = q.dtype === 'uint8' || q.dtype === 'int32' ? q.dtype : 'int8';
  const [first, high] = integerRange[dtype];
  const low = narrow && dtype === 'int8' ? -high : first;
  const out = new ARRAYS[dtype](values.length);
  const run = q.axis === undefined ? values.length : inner;
  for (let start = 0, slice = 0; start < values.length; start += run, slice = (slice + 1) % q.scales.length) {
    const [scale, zero] = [q.scales[slice]!, q.zeroPoints[slice]!];
    for (let i = start; i < start + run; i++) {
      const scaled = values[i]! / scale;
      const rounded = (scaled < 0 ? -Math.floor(0.5 - scaled) : Math.floor(scaled + 0.5)) + zero;
      out[i] = rounded < low ? low : rounded > high ? high : rounded;
    }
  }
  return tensor(name, dtype, source.dims, out);
}

export const ARRAYS = { int8: Int8Array, uint8: Uint8Array, int32: Int32Array } as const;

/** A bias is added to sums of products, so its scale is the product of theirs. */
export function biasScales(input: TensorQuantization, weights: TensorQuantization): TensorQuantization {
  const scales = weights.scales.map((scale) => Math.fround(scale * input.scales[0]!));
  const axis = weights.axis === undefined ? {} : { axis: 0 };
  return { dtype: 'int32', scales, zeroPoints: scales.map(() => 0), ...axis };
}
