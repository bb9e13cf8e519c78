import type { OpName } from '../../../../src/graph/ops.ts';
import type { Attrs } from '../../../../src/graph/types.ts';
import { bool, f32, i32, values } from './harness.ts';
import type { Operand } from './harness.ts';

/** One sound call of an op. */
export interface Example {
  readonly operands: readonly (Operand | undefined)[];
  readonly attrs: Attrs;
}

const call = (operands: readonly (Operand | undefined)[], attrs: Attrs = {}): Example => ({ operands, attrs });
const [x, y] = [f32([2, 3, 4]), f32([2, 3, 4], undefined, 2)];
const positive = f32([2, 3, 4], values(24, 3, 0.1, 0.9));
const unary = call([x]);
const inside = call([positive]);
const binary = call([x, y]);
const integers = call([i32([4], [7, -7, 5, 0]), i32([4], [2, 2, -3, 4])]);
const flags = call([bool([4], [0, 0, 1, 1]), bool([4], [0, 1, 0, 1])]);
const reduction = call([x], { axes: [1], keepDims: false });
const overAxis = call([x], { axis: 1 });
const running = call([x], { axis: 1, exclusive: true, reverse: true });
const image = f32([2, 6, 7, 4]);
const window = { strides: [2, 2], dilations: [1, 1], pads: [0, 1, 1, 0] };
const pool = { filterSize: [2, 2], ...window };
const dy = f32([2, 3, 4, 4], undefined, 4);
const perChannel = (seed: number): Operand => f32([4], values(4, seed, 0.5, 1.5));
const resize = call([image], { size: [9, 5], alignCorners: false, halfPixelCenters: true });
const resizeGrad = call([image], { inputShape: [2, 3, 5, 4], alignCorners: true, halfPixelCenters: false });
const filter = (...shape: number[]): Operand => f32(shape, undefined, 5);

export const examples: Readonly<Record<OpName, Example>> = {
  ...{ Identity: unary, Abs: unary, Acos: inside, Acosh: call([f32([3], [1, 2, 3])]), Asin: inside, Asinh: unary },
  ...{ Atan: unary, Atanh: inside, Ceil: unary, Cos: unary, Cosh: unary, Elu: unary, Erf: unary, Exp: unary },
  ...{ Expm1: unary, Floor: unary, HardSwish: unary, Log: inside, Log1p: inside, Neg: unary, Reciprocal: inside },
  ...{ Relu: unary, Relu6: unary, Round: unary, Rsqrt: inside, Selu: unary, Sigmoid: unary, Sign: unary, Sin: unary },
  ...{ Sinh: unary, Softplus: unary, Sqrt: inside, Square: unary, Swish: unary, Tan: inside, Tanh: unary },
  ...{ IsFinite: unary, IsInf: unary, IsNan: unary, LogicalNot: call([bool([2], [0, 1])]) },
  ClipByValue: call([x], { clipValueMin: -1, clipValueMax: 0.5 }),
  Dropout: call([x], { rate: 0.5 }),
  Gelu: call([x], { approximate: false }),
  HardSigmoid: call([x], { alpha: 0.2, beta: 0.5 }),
  LeakyRelu: call([x], { alpha: 0.2 }),
  Step: call([x], { alpha: 0.5 }),
  Cast: call([x], { dtype: 'int32' }),
  ...{ Add: binary, Sub: binary, Multiply: binary, RealDiv: binary, FloorDiv: integers, Maximum: binary },
  ...{ Minimum: binary, Mod: binary, Pow: call([positive, y]), SquaredDifference: binary, Atan2: binary },
  ...{
    BitwiseAnd: integers,
    Prelu: binary,
    EluGrad: binary,
    ReluGrad: binary,
    Relu6Grad: binary,
    Equal: integers,
    NotEqual: integers,
  },
  ...{ Greater: binary, GreaterEqual: binary, Less: binary, LessEqual: binary, LogicalAnd: flags, LogicalOr: flags },
  FakeQuant: call([x, f32([1], [0.01]), f32([1], [-20])]),
  FakeQuantGrad: call([y, x, f32([1], [0.01]), f32([1], [-20])]),
  Select: call([bool([4], [1, 0, 0, 1]), x, y]),
  ...{ Sum: reduction, Mean: reduction, Max: reduction, Min: reduction, Prod: reduction, LogSumExp: reduction },
  All: call([bool([2, 2], [1, 1, 0, 1])], { axes: [1], keepDims: false }),
  Any: call([bool([2, 2], [0, 0, 0, 1])], { axes: [1], keepDims: true }),
  ...{ ArgMax: overAxis, ArgMin: overAxis, Cumsum: running, Cumprod: running, Softmax: overAxis, LogSoftmax: overAxis },
  TopK: call([x], { k: 2 }),
  Lstm: call([x, f32([2, 3, 5]), f32([16, 5]), f32([16, 4]), undefined], { reversed: false, whole: true }),
  Reshape: call([x], { shape: [4, 6] }),
  Transpose: call([x], { perm: [2, 0, 1] }),
  BroadcastTo: call([x], { shape: [2, 2, 3, 4] }),
  Concat: call([x, y], { axis: 1 }),
  Split: call([x], { axis: 2, sizes: [1, 3] }),
  Slice: call([x], { begin: [0, 1, 2], size: [-1, 2, 1] }),
  StridedSlice: call([x], { begin: [1, 0, 3], end: [2, 3, -1], strides: [1, 2, -2] }),
  Pad: call([x], { paddings: [0, 1, 1, 0, 2, 2], constantValue: 0.5 }),
  MirrorPad: call([x], { paddings: [0, 0, 1, 2, 2, 1], mode: 'reflect' }),
  Tile: call([x], { reps: [1, 2, 2] }),
  Reverse: call([x], { axes: [0, 2] }),
  GatherV2: call([x, i32([2, 2], [1, 0, 2, 2])], { axis: 2, batchDims: 1 }),
  GatherNd: call([x, i32([2, 2], [1, 2, 0, 0])]),
  ScatterNd: call([i32([3, 1], [2, 0, 2]), f32([3, 2])], { shape: [4, 2] }),
  UnsortedSegmentSum: call([f32([4, 2]), i32([4], [2, 0, 5, 2])], { numSegments: 3 }),
  OneHot: call([i32([3], [0, 2, -1])], { depth: 3, onValue: 2, offValue: -1, dtype: 'float32' }),
  DepthToSpace: call([image], { blockSize: 2 }),
  BatchMatMul: call([f32([2, 3, 4]), f32([2, 5, 4])], { transposeA: false, transposeB: true }),
  Conv2D: call([image, filter(3, 2, 4, 5)], window),
  Conv2DBackpropInput: call([dy, filter(2, 2, 3, 4)], { ...window, inputShape: [2, 6, 7, 3] }),
  Conv2DBackpropFilter: call([image, dy], { ...window, filterShape: [2, 2, 4, 4] }),
  DepthwiseConv2dNative: call([image, filter(2, 2, 4, 2)], window),
  DepthwiseConv2dNativeBackpropInput: call([dy, filter(2, 2, 2, 2)], { ...window, inputShape: [2, 6, 7, 2] }),
  DepthwiseConv2dNativeBackpropFilter: call([image, dy], { ...window, filterShape: [2, 2, 4, 1] }),
  MaxPool: call([image], pool),
  AvgPool: call([image], pool),
  MaxPoolGrad: call([dy, image, dy], pool),
  AvgPoolGrad: call([dy], { ...pool, inputShape: [2, 6, 7, 4] }),
  FusedBatchNorm: call([image, perChannel(1), perChannel(2), undefined, perChannel(3)], { epsilon: 0.001 }),
  BatchNormTrain: call([image, perChannel(1), perChannel(2)], { epsilon: 0.001 }),
  BatchNormTrainGrad: call([image, image, perChannel(1), perChannel(2), perChannel(3)]),
  LRN: call([image], { depthRadius: 1, bias: 1, alpha: 0.5, beta: 0.75 }),
  ResizeBilinear: resize,
  ResizeNearestNeighbor: resize,
  ResizeBilinearGrad: resizeGrad,
  ResizeNearestNeighborGrad: resizeGrad,
};
