import type { Sketch } from './support.ts';
import { floats, ints } from './support.ts';

export type Build = (g: Sketch) => string | readonly string[];

const window2d = (pads: number[], strides = [1, 1], dilations = [1, 1]) => ({ strides, dilations, pads });
const unary =
  (op: string, attrs = {}, prepare: (g: Sketch, x: string) => string = (_, x) => x): Build =>
  (g) =>
    g.op(op, [prepare(g, g.input('x', floats('batch', 3, 4)))], attrs);
const positive = (g: Sketch, x: string): string => g.op('Add', [g.op('Abs', [x]), g.positive([])]);
const binary =
  (op: string, a = floats('batch', 3, 4), b = floats('batch', 3, 4)): Build =>
  (g) =>
    g.op(op, [g.input('a', a), g.input('b', b)]);
/** LiteRT hands back no booleans. */
const asFloat = (g: Sketch, x: string): string => g.op('Cast', [x], { dtype: 'float32' });
const comparison =
  (op: string): Build =>
  (g) => {
    const a = g.op('Round', [g.input('a', floats('batch', 3, 4))]);
    return asFloat(g, g.op(op, [a, g.op('Round', [g.input('b', floats('batch', 3, 4))])]));
  };
const logical =
  (op: string): Build =>
  (g) => {
    const zero = g.constant(floats(), new Float32Array(1));
    const a = g.op('Greater', [g.input('a', floats('batch', 5)), zero]);
    return asFloat(
      g,
      g.op(op, op === 'LogicalNot' ? [a] : [a, g.op('Greater', [g.input('b', floats('batch', 5)), zero])]),
    );
  };
const reduction =
  (op: string, axes: number[], keepDims = false): Build =>
  (g) =>
    g.op(op, [g.input('x', floats('batch', 3, 4, 5))], { axes, keepDims });
const booleanReduction =
  (op: string): Build =>
  (g) => {
    const zero = g.constant(floats(), new Float32Array(1));
    return asFloat(
      g,
      g.op(op, [g.op('Greater', [g.input('x', floats('batch', 2, 3)), zero])], { axes: [2], keepDims: false }),
    );
  };
const conv =
  (filter: number[], pads: number[], strides?: number[], dilations?: number[], size = 7): Build =>
  (g) =>
    g.op(
      'Conv2D',
      [g.input('x', floats('batch', size, size, filter[2]!)), g.weights(filter)],
      window2d(pads, strides, dilations),
    );
const depthwise =
  (filter: number[], pads: number[], strides?: number[], dilations?: number[]): Build =>
  (g) =>
    g.op(
      'DepthwiseConv2dNative',
      [g.input('x', floats('batch', 8, 6, filter[2]!)), g.weights(filter)],
      window2d(pads, strides, dilations),
    );
const transposed =
  (size: number, pads: number[], out: number): Build =>
  (g) =>
    g.op('Conv2DBackpropInput', [g.input('x', floats('batch', 4, 4, 3)), g.weights([size, size, 5, 3])], {
      ...window2d(pads, [2, 2]),
      inputShape: ['batch', out, out, 5],
    });
const pool =
  (op: string, filterSize: number[], pads: number[], strides: number[]): Build =>
  (g) =>
    g.op(op, [g.input('x', floats('batch', 7, 7, 3))], { filterSize, ...window2d(pads, strides) });
const x234 = (g: Sketch): string => g.input('x', floats('batch', 2, 3, 4));

/** One case or more for each op; `+` tells them apart. */
export const cases: Record<string, Build> = {
  Identity: unary('Identity'),
  Abs: unary('Abs'),
  Ceil: unary('Ceil'),
  'ClipByValue+relu6': unary('ClipByValue', { clipValueMin: 0, clipValueMax: 6 }),
  'ClipByValue+odd': unary('ClipByValue', { clipValueMin: -0.5, clipValueMax: 0.7 }),
  'ClipByValue+above': unary('ClipByValue', { clipValueMin: 0, clipValueMax: 0.5 }),
  'ClipByValue+n1': unary('ClipByValue', { clipValueMin: -1, clipValueMax: 1 }),
  Cos: unary('Cos'),
  Cosh: unary('Cosh'),
  Dropout: unary('Dropout', { rate: 0.5 }),
  Lstm: (g) => {
    const x = x234(g);
    return g.op('Lstm', [x, x, g.weights([16, 4]), g.weights([16, 4]), ''], { reversed: false, whole: true });
  },
  Elu: unary('Elu'),
  Exp: unary('Exp'),
  Expm1: unary('Expm1'),
  Floor: unary('Floor'),
  'Gelu+exact': unary('Gelu', { approximate: false }),
  'Gelu+tanh': unary('Gelu', { approximate: true }),
  'HardSigmoid+keras': unary('HardSigmoid', { alpha: 1 / 6, beta: 0.5 }),
  'HardSigmoid+fifth': unary('HardSigmoid', { alpha: 0.2, beta: 0.5 }),
  HardSwish: unary('HardSwish'),
  LeakyRelu: unary('LeakyRelu', { alpha: 0.3 }),
  Log: unary('Log', {}, positive),
  Log1p: unary('Log1p', {}, positive),
  LogicalNot: logical('LogicalNot'),
  Neg: unary('Neg'),
  Reciprocal: unary('Reciprocal', {}, positive),
  Relu: unary('Relu'),
  Relu6: unary('Relu6'),
  Round: unary('Round'),
  Rsqrt: unary('Rsqrt', {}, positive),
  Selu: unary('Selu'),
  Sigmoid: unary('Sigmoid'),
  Sign: unary('Sign'),
  Sin: unary('Sin'),
  Sinh: unary('Sinh'),
  Softplus: unary('Softplus'),
  Sqrt: unary('Sqrt', {}, positive),
  Square: unary('Square'),
  Step: unary('Step', { alpha: 0.25 }),
  Swish: unary('Swish'),
  Tan: unary('Tan'),
  Tanh: unary('Tanh'),
  IsFinite: (g) => asFloat(g, g.op('IsFinite', [g.op('Log', [g.op('Relu', [g.input('x', floats('batch', 9))])])])),
  IsInf: (g) => asFloat(g, g.op('IsInf', [g.op('Log', [g.op('Relu', [g.input('x', floats('batch', 9))])])])),
  IsNan: (g) => asFloat(g, g.op('IsNan', [g.op('Sqrt', [g.input('x', floats('batch', 9))])])),
  Cast: (g) => g.op('Cast', [g.op('Round', [g.input('x', floats('batch', 4))])], { dtype: 'int32' }),
  Add: binary('Add'),
  'Add+channels': binary('Add', floats('batch', 3, 4), floats(4)),
  'Add+constant': (g) => g.op('Add', [g.input('x', floats('batch', 3, 4)), g.weights([3, 1])]),
  Sub: binary('Sub'),
  'Sub+ints': (g) => g.op('Sub', [g.input('a', ints('batch', 4)), g.input('b', ints('batch', 4))]),
  Multiply: binary('Multiply'),
  RealDiv: (g) => g.op('RealDiv', [g.input('a', floats('batch', 4)), positive(g, g.input('b', floats('batch', 4)))]),
  'RealDiv+constant': (g) => g.op('RealDiv', [g.input('a', floats('batch', 4)), g.positive([4])]),
  FloorDiv: (g) => g.op('FloorDiv', [g.input('a', floats('batch', 4)), g.positive([4])]),
  Maximum: binary('Maximum'),
  Minimum: binary('Minimum'),
  Mod: (g) => g.op('Mod', [g.input('a', floats('batch', 4)), g.positive([4])]),
  Pow: (g) => g.op('Pow', [positive(g, g.input('a', floats('batch', 4))), g.input('b', floats('batch', 4))]),
  SquaredDifference: binary('SquaredDifference'),
  Atan2: binary('Atan2'),
  Prelu: (g) => g.op('Prelu', [g.input('x', floats('batch', 3, 4)), g.weights([4])]),
  Equal: comparison('Equal'),
  NotEqual: comparison('NotEqual'),
  Greater: comparison('Greater'),
  GreaterEqual: comparison('GreaterEqual'),
  Less: comparison('Less'),
  LessEqual: comparison('LessEqual'),
  LogicalAnd: logical('LogicalAnd'),
  LogicalOr: logical('LogicalOr'),
  Select: (g) => {
    const [a, b] = [g.input('a', floats('batch', 3, 4)), g.input('b', floats('batch', 3, 4))];
    return g.op('Select', [g.op('Greater', [a, b]), a, g.constant(floats(), new Float32Array(1))]);
  },
  Sum: reduction('Sum', [1, 2]),
  Mean: reduction('Mean', [1, 2], true),
  Max: reduction('Max', [3]),
  Min: reduction('Min', [1]),
  Prod: reduction('Prod', [2, 3]),
  All: booleanReduction('All'),
  Any: booleanReduction('Any'),
  LogSumExp: reduction('LogSumExp', [3], true),
  ArgMax: (g) => g.op('ArgMax', [x234(g)], { axis: 3 }),
  ArgMin: (g) => g.op('ArgMin', [x234(g)], { axis: 1 }),
  Cumsum: (g) => g.op('Cumsum', [x234(g)], { axis: 2, exclusive: true, reverse: false }),
  TopK: (g) => g.node('TopK', [x234(g)], { k: 3 }),
  Softmax: (g) => g.op('Softmax', [x234(g)], { axis: 3 }),
  'Softmax+inner axis': (g) => g.op('Softmax', [x234(g)], { axis: 1 }),
  LogSoftmax: (g) => g.op('LogSoftmax', [x234(g)], { axis: 3 }),
  Reshape: (g) => g.op('Reshape', [x234(g)], { shape: ['batch', 24] }),
  Transpose: (g) => g.op('Transpose', [x234(g)], { perm: [0, 3, 1, 2] }),
  BroadcastTo: (g) => g.op('BroadcastTo', [g.input('x', floats('batch', 1, 3))], { shape: ['batch', 4, 3] }),
  Concat: (g) => g.op('Concat', [g.input('a', floats('batch', 3)), g.input('b', floats('batch', 2))], { axis: 1 }),
  'Split+even': (g) => g.node('Split', [x234(g)], { axis: 3, sizes: [2, 2] }),
  'Split+uneven': (g) => g.node('Split', [x234(g)], { axis: 3, sizes: [1, 3] }),
  Slice: (g) => g.op('Slice', [x234(g)], { begin: [0, 1, 0, 2], size: [-1, 1, 3, 2] }),
  StridedSlice: (g) =>
    g.op('StridedSlice', [g.input('x', floats(6, 5))], { begin: [0, 4], end: [6, -1], strides: [2, -2] }),
  Pad: (g) => g.op('Pad', [x234(g)], { paddings: [0, 0, 1, 0, 0, 2, 0, 0], constantValue: 0 }),
  'Pad+value': (g) => g.op('Pad', [x234(g)], { paddings: [0, 0, 1, 0, 0, 2, 0, 0], constantValue: 1.5 }),
  MirrorPad: (g) => g.op('MirrorPad', [x234(g)], { paddings: [0, 0, 1, 1, 2, 1, 0, 0], mode: 'reflect' }),
  'MirrorPad+symmetric': (g) => g.op('MirrorPad', [x234(g)], { paddings: [0, 0, 1, 2, 0, 1, 0, 0], mode: 'symmetric' }),
  Tile: (g) => g.op('Tile', [x234(g)], { reps: [1, 2, 1, 3] }),
  Reverse: (g) => g.op('Reverse', [x234(g)], { axes: [1, 3] }),
  GatherV2: (g) => {
    const indices = g.constant(ints(2), Int32Array.of(2, 0));
    return g.op('GatherV2', [x234(g), indices], { axis: 2, batchDims: 0 });
  },
  GatherNd: (g) => {
    const indices = g.constant(ints(2, 2), Int32Array.of(0, 1, 2, 0));
    return g.op('GatherNd', [g.input('x', floats(3, 2, 4)), indices]);
  },
  ScatterNd: (g) => {
    const indices = g.constant(ints(3, 1), Int32Array.of(4, 1, 4));
    return g.op('ScatterNd', [indices, g.input('x', floats(3, 2))], { shape: [6, 2] });
  },
  UnsortedSegmentSum: (g) => {
    const ids = g.constant(ints(4), Int32Array.of(2, 0, 2, 1));
    return g.op('UnsortedSegmentSum', [g.input('x', floats(4, 3)), ids], { numSegments: 3 });
  },
  OneHot: (g) =>
    g.op('OneHot', [g.input('x', ints('batch', 4))], { depth: 5, onValue: 1, offValue: 0, dtype: 'float32' }),
  DepthToSpace: (g) => g.op('DepthToSpace', [g.input('x', floats('batch', 2, 3, 8))], { blockSize: 2 }),
  BatchMatMul: (g) =>
    g.op('BatchMatMul', [g.input('a', floats('batch', 2, 3)), g.input('b', floats('batch', 4, 3))], {
      transposeA: false,
      transposeB: true,
    }),
  'BatchMatMul+dense': (g) =>
    g.op('BatchMatMul', [g.input('a', floats('batch', 6)), g.weights([6, 4])], {
      transposeA: false,
      transposeB: false,
    }),
  'BatchMatMul+sequence': (g) =>
    g.op('BatchMatMul', [g.input('a', floats('batch', 5, 6)), g.weights([4, 6])], {
      transposeA: false,
      transposeB: true,
    }),
  'BatchMatMul+stacked': (g) =>
    g.op('BatchMatMul', [g.input('a', floats('batch', 5, 6)), g.weights([1, 6, 4])], {
      transposeA: false,
      transposeB: false,
    }),
  'BatchMatMul+left': (g) =>
    g.op('BatchMatMul', [g.input('a', floats(6, 5)), g.weights([6, 4])], { transposeA: true, transposeB: false }),
  Conv2D: conv([3, 3, 2, 5], [1, 1, 1, 1]),
  'Conv2D+valid': conv([3, 3, 2, 5], [0, 0, 0, 0], [2, 2]),
  'Conv2D+same of odd size': conv([3, 3, 2, 5], [1, 1, 1, 1], [2, 2]),
  'Conv2D+symmetric padding of even size': conv([3, 3, 2, 5], [1, 1, 1, 1], [2, 2], [1, 1], 8),
  'Conv2D+explicit': conv([3, 3, 2, 5], [2, 1, 0, 3]),
  'Conv2D+dilated': conv([3, 3, 2, 5], [2, 2, 2, 2], [1, 1], [2, 2]),
  DepthwiseConv2dNative: depthwise([3, 3, 4, 1], [1, 1, 1, 1]),
  'DepthwiseConv2dNative+multiplier': depthwise([3, 3, 2, 3], [0, 1, 0, 1], [2, 2]),
  'DepthwiseConv2dNative+dilated': depthwise([3, 3, 2, 1], [2, 2, 2, 2], [1, 1], [2, 2]),
  'Conv2DBackpropInput+same': transposed(3, [0, 1, 0, 1], 8),
  'Conv2DBackpropInput+valid': transposed(3, [0, 0, 0, 0], 9),
  'Conv2DBackpropInput+cropped': transposed(4, [2, 2, 2, 2], 6),
  MaxPool: pool('MaxPool', [2, 2], [0, 0, 0, 0], [2, 2]),
  'MaxPool+same': pool('MaxPool', [3, 3], [1, 1, 1, 1], [2, 2]),
  'MaxPool+explicit': pool('MaxPool', [3, 3], [2, 0, 0, 1], [2, 2]),
  AvgPool: pool('AvgPool', [2, 2], [0, 0, 0, 0], [2, 2]),
  'AvgPool+same': pool('AvgPool', [3, 3], [1, 1, 1, 1], [2, 2]),
  'AvgPool+behind': pool('AvgPool', [3, 3], [0, 1, 0, 1], [1, 1]),
  'AvgPool+explicit': pool('AvgPool', [3, 3], [2, 0, 0, 1], [2, 2]),
  FusedBatchNorm: (g) =>
    g.op('FusedBatchNorm', [x234(g), g.weights([4]), g.positive([4]), g.weights([4]), g.positive([4])], {
      epsilon: 1e-3,
    }),
  'FusedBatchNorm+computed': (g) =>
    g.op('FusedBatchNorm', [x234(g), g.weights([4]), positive(g, g.input('v', floats(4))), g.weights([4]), ''], {
      epsilon: 1e-3,
    }),
  LRN: (g) =>
    g.op('LRN', [g.input('x', floats('batch', 2, 3, 8))], { depthRadius: 2, bias: 1, alpha: 0.1, beta: 0.75 }),
  ResizeBilinear: (g) =>
    g.op('ResizeBilinear', [x234(g)], { size: [4, 7], alignCorners: false, halfPixelCenters: true }),
  'ResizeBilinear+corners': (g) =>
    g.op('ResizeBilinear', [x234(g)], { size: [4, 7], alignCorners: true, halfPixelCenters: false }),
  ResizeNearestNeighbor: (g) =>
    g.op('ResizeNearestNeighbor', [x234(g)], { size: [4, 6], alignCorners: false, halfPixelCenters: false }),
};
