import type { TensorData } from '../../../src/graph/types.ts';
import { emptyLike, permutedTensor } from '../../../src/formats/tflite/tensor.ts';
import type { Call, Kernel, Values } from './kernel.ts';
import { ints, isQuantized, values, zeroPointOf } from './kernel.ts';
import { sizeOf } from './tensor.ts';

/** An output whose element at an index is that of the input at another; outside the input, `otherwise`. */
function moved(
  call: Call,
  source: (index: readonly number[]) => readonly number[],
  otherwise = 0,
  output = call.outputs[0]!,
): Values {
  const [x, { shape }] = [values(call, 0), call.inputs[0]!];
  return mapped(x, shape, output.shape, source, otherwise);
}

function mapped(
  x: Values,
  from: readonly number[],
  to: readonly number[],
  source: (index: readonly number[]) => readonly number[],
  otherwise = 0,
): Values {
  const out = emptyLike(x, sizeOf(to));
  const strides = from.map((_, axis) => sizeOf(from.slice(axis + 1)));
  const index = new Array<number>(to.length).fill(0);
  for (let i = 0; i < out.length; i++) {
    const at = source(index);
    const inside = at.every((value, axis) => value >= 0 && value < from[axis]!);
    out[i] = inside ? x[at.reduce((sum, value, axis) => sum + value * strides[axis]!, 0)]! : otherwise;
    for (let axis = to.length - 1; axis >= 0; axis--) {
      if (++index[axis]! < to[axis]!) break;
      index[axis] = 0;
    }
  }
  return out;
}

const same: Kernel = ({ inputs }) => [inputs[0]!.data];

const slice: Kernel = (call) => {
  const begin = ints(call, 1);
  return [moved(call, (index) => index.map((value, axis) => value + begin[axis]!))];
};

const bit = (mask: unknown, axis: number): boolean => ((Number(mask ?? 0) >> axis) & 1) === 1;

/** StridedSlice without new axes and ellipses, which our files do not have. */
const stridedSlice: Kernel = (call) => {
  const [begin, strides, { shape }] = [ints(call, 1), ints(call, 3), call.inputs[0]!];
  const { beginMask, shrinkAxisMask } = call.options;
  const first = begin.map((value, axis) => {
    const [stride, size] = [strides[axis]!, shape[axis]!];
    if (bit(beginMask, axis)) return stride > 0 ? 0 : size - 1;
    return value < 0 ? value + size : Math.min(value, stride > 0 ? size : size - 1);
  });
  return [
    moved(call, (index) => {
      let at = 0;
      return first.map((value, axis) => (bit(shrinkAxisMask, axis) ? value : value + index[at++]! * strides[axis]!));
    }),
  ];
};

const pad: Kernel = (call) => {
  const paddings = ints(call, 1);
  const filler = call.inputs[2] === undefined ? zeroOf(call) : Number(call.inputs[2].data[0]);
  return [moved(call, (index) => index.map((value, axis) => value - paddings[2 * axis]!), filler)];
};

function zeroOf({ inputs }: Call): number {
  return isQuantized(inputs[0]!) ? zeroPointOf(inputs[0]!) : 0;
}

const concatenation: Kernel = (call) => {
  const output = call.outputs[0]!;
  const axis = (Number(call.options.axis) + output.shape.length) % output.shape.length;
  const inner = sizeOf(output.shape.slice(axis + 1));
  const out = emptyLike(values(call, 0), sizeOf(output.shape));
  const whole = output.shape[axis]! * inner;
  let start = 0;
  call.inputs.forEach((input, i) => {
    const [part, x] = [input!.shape[axis]! * inner, values(call, i)];
    for (let row = 0; row * part < x.length; row++)
      out.set(x.subarray(row * part, (row + 1) * part), row * whole + start);
    start += part;
  });
  return [out];
};

/** Pieces of operand `at` along an axis, one for each output. */
function pieces(call: Call, at: number, axisValue: number): TensorData[] {
  const input = call.inputs[at]!;
  const axis = (axisValue + input.shape.length) % input.shape.length;
  let start = 0;
  return call.outputs.map((output) => {
    const from = start;
    start += output.shape[axis]!;
    const shifted = (index: readonly number[]): number[] =>
      index.map((value, i) => (i === axis ? value + from : value));
    return mapped(values(call, at), input.shape, output.shape, shifted);
  });
}

const gather: Kernel = (call) => {
  const [params, indices] = [call.inputs[0]!, call.inputs[1]!];
  const axis = (Number(call.options.axis ?? 0) + params.shape.length) % params.shape.length;
  const batchDims = Number(call.options.batchDims ?? 0);
  const where = Array.from(values(call, 1));
  const { shape } = indices;
  const rank = shape.length - batchDims;
  return [
    moved(call, (index) => {
      const own = [...index.slice(0, batchDims), ...index.slice(axis, axis + rank)];
      const picked = where[own.reduce((sum, value, i) => sum * shape[i]! + value, 0)]!;
      return [...index.slice(0, axis), picked, ...index.slice(axis + rank)];
    }),
  ];
};

const tiled: Kernel = (call) => {
  const { shape } = call.inputs[0]!;
  return [moved(call, (index) => index.slice(index.length - shape.length).map((value, axis) => value % shape[axis]!))];
};

export const shape: Readonly<Record<string, Kernel>> = {
  RESHAPE: same,
  EXPAND_DIMS: same,
  SQUEEZE: same,
  SLICE: slice,
  STRIDED_SLICE: stridedSlice,
  PAD: pad,
  PADV2: pad,
  CONCATENATION: concatenation,
  SPLIT: (call) => pieces(call, 1, ints(call, 0)[0]!),
  SPLIT_V: (call) => pieces(call, 0, ints(call, 2)[0]!),
  GATHER: gather,
  BROADCAST_TO: tiled,
  TILE: tiled,
  TRANSPOSE: (call) => [permutedTensor(values(call, 0), call.inputs[0]!.shape, ints(call, 1))],
};
