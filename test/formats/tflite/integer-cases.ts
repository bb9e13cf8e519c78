import type { Sketch } from './support.ts';
import { floats } from './support.ts';

const POOL = { filterSize: [2, 2], strides: [2, 2], dilations: [1, 1], pads: [0, 0, 0, 0] };

const unary =
  (op: string, attrs = {}) =>
  (g: Sketch): string | readonly string[] =>
    g.node(op, [g.input('x', floats('batch', 4, 4, 4))], attrs);
const binary =
  (op: string) =>
  (g: Sketch): string =>
    g.op(op, [g.input('a', floats('batch', 4, 4)), g.input('b', floats('batch', 4, 4))]);
const beyond =
  (op: string, values: readonly number[]) =>
  (g: Sketch): string =>
    g.op(op, [g.input('x', floats('batch', 4)), g.constant(floats(values.length), Float32Array.from(values))]);
/** Each operator with an integer kernel, alone between quantized ends. */
export const integerCases: Record<string, (g: Sketch) => string | readonly string[]> = {
  Add: binary('Add'),
  Sub: binary('Sub'),
  Multiply: binary('Multiply'),
  Maximum: binary('Maximum'),
  Minimum: binary('Minimum'),
  SquaredDifference: binary('SquaredDifference'),
  Relu: unary('Relu'),
  Relu6: unary('Relu6'),
  LeakyRelu: unary('LeakyRelu', { alpha: 0.2 }),
  HardSwish: unary('HardSwish'),
  Elu: unary('Elu'),
  Gelu: unary('Gelu', { approximate: false }),
  Exp: unary('Exp'),
  Tanh: unary('Tanh'),
  Sigmoid: unary('Sigmoid'),
  Softmax: unary('Softmax', { axis: 3 }),
  LogSoftmax: unary('LogSoftmax', { axis: 3 }),
  Sum: unary('Sum', { axes: [3], keepDims: false }),
  Mean: unary('Mean', { axes: [1, 2], keepDims: false }),
  Max: unary('Max', { axes: [3], keepDims: false }),
  Min: unary('Min', { axes: [3], keepDims: false }),
  Pad: unary('Pad', { paddings: [0, 0, 1, 1, 1, 1, 0, 0], constantValue: 0 }),
  PadValue: unary('Pad', { paddings: [0, 0, 1, 1, 1, 1, 0, 0], constantValue: 0.5 }),
  MirrorPad: unary('MirrorPad', { paddings: [0, 0, 1, 1, 1, 1, 0, 0], mode: 'reflect' }),
  Transpose: unary('Transpose', { perm: [0, 3, 1, 2] }),
  Split: unary('Split', { axis: 3, sizes: [2, 2] }),
  SplitUneven: unary('Split', { axis: 3, sizes: [1, 3] }),
  Slice: unary('Slice', { begin: [0, 1, 1, 0], size: [-1, 2, 3, 4] }),
  Tile: unary('Tile', { reps: [1, 2, 1, 1] }),
  TopK: unary('TopK', { k: 2 }),
  DepthToSpace: unary('DepthToSpace', { blockSize: 2 }),
  ResizeBilinear: unary('ResizeBilinear', { size: [8, 8], alignCorners: false, halfPixelCenters: true }),
  ResizeNearest: unary('ResizeNearestNeighbor', { size: [8, 8], alignCorners: false, halfPixelCenters: false }),
  MaxPool: unary('MaxPool', POOL),
  MaxPoolExplicit: unary('MaxPool', { ...POOL, pads: [1, 1, 1, 1] }),
  AvgPool: unary('AvgPool', POOL),
  Prelu: (g) => g.op('Prelu', [g.input('x', floats('batch', 4, 4, 4)), g.weights([4])]),
  AddConstant: (g) => g.op('Add', [g.input('x', floats('batch', 4, 4)), g.weights([4])]),
  MatMul: (g) =>
    g.op('BatchMatMul', [g.input('a', floats('batch', 4, 6)), g.input('b', floats('batch', 6, 5))], {
      transposeA: false,
      transposeB: false,
    }),
  Transposed: (g) =>
    g.op('Conv2DBackpropInput', [g.input('x', floats('batch', 4, 4, 3)), g.weights([3, 3, 5, 3])], {
      strides: [2, 2],
      dilations: [1, 1],
      pads: [0, 1, 0, 1],
      inputShape: ['batch', 8, 8, 5] as const,
    }),
  // Constants far outside of what else they meet, which the result must hold.
  PadBeyond: unary('Pad', { paddings: [0, 0, 1, 1, 1, 1, 0, 0], constantValue: 20 }),
  MaximumBeyond: beyond('Maximum', [-20, 0, 20, 1]),
  MinimumBeyond: beyond('Minimum', [-20, 0, 20, 1]),
  ClipBeyond: unary('ClipByValue', { clipValueMin: 10, clipValueMax: 20 }),
  SelectBeyond: (g) =>
    g.op('Select', [
      g.constant({ dtype: 'bool', shape: [4] }, Uint8Array.of(1, 0, 1, 0)),
      g.input('x', floats('batch', 4)),
      g.constant(floats(), Float32Array.of(20)),
    ]),
  ConcatBeyond: (g) =>
    g.op('Concat', [g.constant(floats(1, 2), Float32Array.of(20, -30)), g.input('x', floats(1, 4))], { axis: 1 }),
  Concat: (g) =>
    g.op('Concat', [g.input('a', floats('batch', 4)), g.op('Tanh', [g.input('b', floats('batch', 3))])], { axis: 1 }),
};
