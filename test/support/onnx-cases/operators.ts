import type { OnnxTensor } from '../../../src/formats/onnx/model.ts';
import { tensor } from '../../../src/formats/onnx/model.ts';
import type { Attrs, Case, Step } from '../onnx-steps.ts';
import { float, floats, integer, ints, list, positive, scalar } from '../onnx-steps.ts';
import * as known from './known.ts';
import * as recurrent from './recurrent.ts';

export const stored: Readonly<Record<string, OnnxTensor>> = {
  ...recurrent.stored,
  ...known.stored,
  ...{ w: floats(6, 4, 3, 3), up: floats(4, 3, 2, 2), square: floats(8, 8), row: floats(8), key: floats(2, 4, 6, 8) },
  ...{
    s: positive(4),
    o: floats(4),
    m: floats(4),
    v: positive(4),
    half: scalar(0.5),
    two: integer(2),
    axis: integer(3),
  },
  ...{ axes: ints(2, 3), wide: ints(2, 4, 6, 8), flat: ints(2, -1), last: ints(-1), one: ints(1), first: ints(0) },
  ...{ reps: ints(1, 1, 2, 1), pads: ints(0, 0, 1, 1, 0, 0, 1, 1), scales: list(1, 1, 2, 2), levels: list(0, 1) },
  ...{ eight: integer(8), counts: ints(1, 4, 1, 1), places: ints(0, 2), sizes: ints(4, 4), k: ints(2), empty: list() },
  ...{ zero: integer(0), step: integer(1), angled: floats(2, 4, 6, 1) },
  grid: floats(2, 3, 3, 2),
  theta: floats(2, 2, 3),
  asked: ints(2, 4, 3, 3),
  angles: floats(6, 4),
  ids: tensor(
    '',
    'int64',
    [2, 6],
    BigInt64Array.from({ length: 12 }, (_, i) => BigInt(i % 6)),
  ),
  columns: tensor(
    '',
    'int64',
    [2, 4, 6, 1],
    BigInt64Array.from({ length: 48 }, (_, i) => BigInt(i % 8)),
  ),
  tuples: tensor('', 'int64', [2, 1], BigInt64Array.of(1n, 0n)),
};

const FED = [2, 4, 6, 8];
const on = (...steps: Step[]): Case => [FED, FED, steps, 23];
const one = (op: string, inputs: readonly string[] = ['x'], attrs: Attrs = {}, opset = 23): readonly [string, Case] => [
  op,
  [FED, FED, [[op, inputs, attrs]], opset],
];
const names = (text: string): string[] => text.split(' ');
/** Of two truths that are compared from what is fed. */
const logical = (op: string): readonly [string, Case] => [
  op,
  on(['Greater', ['x', 'half']], ['Less', ['x', 'row']], [op, ['y0', 'y1'].slice(0, op === 'Not' ? 1 : 2)]),
];
const recurrence = (op: string, w: string, r: string): readonly [string, Case] => [
  op,
  [[4, 2, 3], [4, 2, 3], [[op, ['x', w, r], recurrent.size]], 17],
];
const PLAIN =
  'Abs Acos Acosh Asin Asinh Atan Atanh Ceil Celu Cos Cosh Dropout Elu Erf Exp Flatten Floor Gelu GlobalAveragePool GlobalLpPool ' +
  'GlobalMaxPool HardSigmoid HardSwish Hardmax Identity IsInf IsNaN LeakyRelu Log LogSoftmax LpNormalization Mean ' +
  'MeanVarianceNormalization Mish Neg Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ' +
  'ReduceProd ReduceSum ReduceSumSquare Relu Round Selu Shrink Sigmoid Sign Sin Sinh Softmax Softplus Softsign Sqrt ' +
  'Swish Tan Tanh ThresholdedRelu Transpose';
const BINARY = 'Add Div Max Min Mod Mul PRelu Pow Sub Sum Greater GreaterOrEqual Less LessOrEqual Equal';

/** For each operator that is read a model that has it; x is [2, 4, 6, 8] unless it cannot be. */
export const operatorCases: Readonly<Record<string, Case>> = Object.fromEntries<Case>([
  ...names(PLAIN).map((op) => one(op)),
  ...names(BINARY).map((op) => one(op, ['x', 'row'], op === 'Mod' ? { fmod: 1 } : {})),
  ...['And', 'Or', 'Xor', 'Not'].map(logical),
  one('Conv', ['x', 'w']),
  one('ConvTranspose', ['x', 'up'], { strides: [2, 2] }),
  ...['AveragePool', 'MaxPool', 'LpPool'].map((op) => one(op, ['x'], { kernel_shape: [2, 2] })),
  one('BatchNormalization', ['x', 's', 'o', 'm', 'v']),
  one('InstanceNormalization', ['x', 's', 'o']),
  one('GroupNormalization', ['x', 's', 'o'], { num_groups: 2 }),
  one('LayerNormalization', ['x', 'row', 'row']),
  one('RMSNormalization', ['x', 'row']),
  one('LRN', ['x'], { size: 3 }),
  one('MatMul', ['x', 'square']),
  ['Gemm', [[2, 8], [2, 8], [['Gemm', ['x', 'square', 'row']]]]],
  one('Einsum', ['x', 'square'], { equation: 'nchw,wk->nchk' }),
  one('Attention', ['x', 'key', 'key']),
  one('RotaryEmbedding', ['x', 'angles', 'angles', 'ids']),
  recurrence('LSTM', 'wl', 'rl'),
  recurrence('GRU', 'wg', 'rg'),
  recurrence('RNN', 'wr', 'rr'),
  ...['ArgMax', 'ArgMin'].map((op) => one(op, ['x'], { axis: 1 })),
  one('TopK', ['x', 'k']),
  ...['CumSum', 'CumProd'].map((op) => one(op, ['x', 'axis'], {}, op === 'CumProd' ? 26 : 23)),
  one('Clip', ['x', 'half']),
  one('Cast', ['x'], { to: 6 }),
  one('CastLike', ['x', 'two']),
  ['Where', on(['Greater', ['x', 'half']], ['Where', ['y0', 'x', 'row']])],
  one('Trilu'),
  one('ReverseSequence', ['x', 'sizes'], { time_axis: 1, batch_axis: 0 }),
  one('Concat', ['x', 'key'], { axis: 1 }),
  ['Split', on(['Split', ['x'], { axis: 1, num_outputs: 2 }, ['y', 'z']])],
  one('Slice', ['x', 'first', 'one', 'last']),
  one('Gather', ['x', 'places'], { axis: 1 }),
  one('GatherElements', ['x', 'columns'], { axis: 3 }),
  one('GatherND', ['x', 'tuples']),
  one('ScatterElements', ['x', 'columns', 'angled'], { axis: 3 }),
  one('Scatter', ['x', 'columns', 'angled'], { axis: 3 }, 10),
  one('ScatterND', ['x', 'tuples', 'key']),
  ['OneHot', on(['ArgMax', ['x'], { axis: 1 }], ['OneHot', ['y0', 'eight', 'levels']])],
  one('GridSample', ['x', 'grid']),
  ['AffineGrid', [[2, 2, 3], [2, 2, 3], [['AffineGrid', ['x', 'asked']]], 20]],
  one('Resize', ['x', '', 'scales'], { mode: 'linear' }),
  one('Upsample', ['x', 'scales'], {}, 9),
  one('Pad', ['x', 'pads']),
  one('CenterCropPad', ['x', 'sizes'], { axes: [2, 3] }),
  ...['DepthToSpace', 'SpaceToDepth'].map((op) => one(op, ['x'], { blocksize: 2 })),
  one('Expand', ['x', 'wide']),
  one('Reshape', ['x', 'flat']),
  ['Squeeze', on(['Unsqueeze', ['x', 'first']], ['Squeeze', ['y0', 'first']])],
  one('Unsqueeze', ['x', 'first']),
  one('Tile', ['x', 'reps']),
  ['Shape', on(['Shape', ['x']], ['Reshape', ['x', 'y0']])],
  ['Size', on(['Size', ['x']], ['Cast', ['y0'], { to: 1 }], ['Add', ['x', 'half']])],
  ['Range', on(['Range', ['zero', 'eight', 'step']], ['Gather', ['x', 'y0'], { axis: 3 }])],
  ['NonZero', on(['NonZero', ['first']], ['Squeeze', ['y0', 'first']], ['Add', ['x', 'half']])],
  ['Constant', on(['Constant', [], { value_float: float(2) }], ['Mul', ['x', 'y0']])],
  ['ConstantOfShape', on(['ConstantOfShape', ['counts']], ['Add', ['x', 'y0']])],
  ['EyeLike', on(['EyeLike', ['square']], ['MatMul', ['x', 'y0']])],
  ['If', on(...known.knownCases['one of two graphs, by a size']![2])],
  ['Loop', on(...known.knownCases['steps that are counted, each of which gives something']![2])],
]);
