import { GraphBuilder } from '../../src/graph/builder.ts';
import { macs, macsOf } from '../../src/graph/macs.ts';
import { opNames } from '../../src/graph/ops.ts';
import type { Attrs, Dim } from '../../src/graph/types.ts';

const window = { strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] };

/** MACs of one op on inputs of these shapes. */
function count(op: string, shapes: readonly (readonly Dim[])[], attrs: Attrs): number {
  const builder = new GraphBuilder();
  const inputs = shapes.map((shape, i) => builder.input(`in${i}`, { dtype: 'float32', shape }));
  builder.output('out', builder.op(op, inputs, attrs));
  return macsOf(builder.build());
}

/** Written by hand: whoever adds an operator says here whether it multiplies. Those of gradients are in no graph that ships. */
const COUNTED = ['BatchMatMul', 'Conv2D', 'Conv2DBackpropInput', 'DepthwiseConv2dNative'];
const FREE = `
  Abs Acos Acosh Add All Any ArgMax ArgMin Asin Asinh Atan Atan2 Atanh AvgPool AvgPoolGrad BatchNormTrain
  BatchNormTrainGrad BitwiseAnd BroadcastTo Cast Ceil ClipByValue Concat Conv2DBackpropFilter Cos Cosh Cumprod Cumsum
  DepthToSpace DepthwiseConv2dNativeBackpropFilter DepthwiseConv2dNativeBackpropInput Dropout Elu EluGrad Equal Erf
  Exp Expm1 FakeQuant FakeQuantGrad Floor FloorDiv FusedBatchNorm GatherNd GatherV2 Gelu Greater GreaterEqual
  HardSigmoid HardSwish Identity IsFinite IsInf IsNan LRN LeakyRelu Less LessEqual Log Log1p LogSoftmax LogSumExp
  LogicalAnd LogicalNot LogicalOr Lstm Max MaxPool MaxPoolGrad Maximum Mean Min Minimum MirrorPad Mod Multiply Neg
  NotEqual OneHot Pad Pow Prelu Prod RealDiv Reciprocal Relu Relu6 Relu6Grad ReluGrad Reshape ResizeBilinear ResizeBilinearGrad
  ResizeNearestNeighbor ResizeNearestNeighborGrad Reverse Round Rsqrt ScatterNd Select Selu Sigmoid Sign Sin Sinh
  Slice Softmax Softplus Split Sqrt Square SquaredDifference Step StridedSlice Sub Sum Swish Tan Tanh Tile TopK
  Transpose UnsortedSegmentSum
`.split(/\s+/);

it('counts the operators that are listed here, and knows of each other one that it is free', () => {
  expect(Object.keys(macs).sort()).toEqual(COUNTED);
  expect([...COUNTED, ...FREE.filter((name) => name !== '')].sort()).toEqual([...opNames].sort());
});

it('counts a dense layer: in · out', () => {
  const attrs = { transposeA: false, transposeB: false };
  expect(
    count(
      'BatchMatMul',
      [
        ['batch', 20],
        [20, 10],
      ],
      attrs,
    ),
  ).toBe(200);
});

it('counts products of stacked and transposed matrices', () => {
  // Four heads of [6, 8] · [8, 6].
  const heads = count(
    'BatchMatMul',
    [
      ['batch', 4, 6, 8],
      ['batch', 4, 6, 8],
    ],
    { transposeA: false, transposeB: true },
  );
  expect(heads).toBe(4 * 6 * 6 * 8);
  expect(
    count(
      'BatchMatMul',
      [
        [7, 3],
        [7, 5],
      ],
      { transposeA: true, transposeB: false },
    ),
  ).toBe(7 * 3 * 5);
});

it('counts a matrix product whose rows are folded from the batch once per sample', () => {
  const attrs = { transposeA: false, transposeB: false };
  expect(
    count(
      'BatchMatMul',
      [
        ['49*batch', 8],
        [8, 3],
      ],
      attrs,
    ),
  ).toBe(49 * 8 * 3);
});

it('counts a convolution: output pixels · window · in · out', () => {
  expect(
    count(
      'Conv2D',
      [
        ['batch', 14, 14, 8],
        [3, 3, 8, 16],
      ],
      window,
    ),
  ).toBe(14 * 14 * 9 * 8 * 16);
  const strided = { ...window, strides: [2, 2] };
  expect(
    count(
      'Conv2D',
      [
        ['batch', 14, 14, 8],
        [3, 3, 8, 16],
      ],
      strided,
    ),
  ).toBe(7 * 7 * 9 * 8 * 16);
});

it('counts a depthwise convolution: no sum over channels', () => {
  expect(
    count(
      'DepthwiseConv2dNative',
      [
        ['batch', 14, 14, 8],
        [3, 3, 8, 2],
      ],
      window,
    ),
  ).toBe(14 * 14 * 9 * 8 * 2);
});

it('counts a transposed convolution by what comes in', () => {
  const attrs = { strides: [2, 2], dilations: [1, 1], pads: [0, 1, 0, 1], inputShape: ['batch', 14, 14, 4] as Dim[] };
  expect(
    count(
      'Conv2DBackpropInput',
      [
        ['batch', 7, 7, 16],
        [3, 3, 4, 16],
      ],
      attrs,
    ),
  ).toBe(7 * 7 * 16 * 9 * 4);
});

it('counts nothing for elementwise arithmetic', () => {
  expect(
    count(
      'Multiply',
      [
        ['batch', 9],
        ['batch', 9],
      ],
      {},
    ),
  ).toBe(0);
});
