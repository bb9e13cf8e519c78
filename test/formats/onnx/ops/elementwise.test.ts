import * as tf from '@tensorflow/tfjs-core';
import { bool, expectClose, expectSame, f32, i32, runOp, values } from './harness.ts';
import type { Operand } from './harness.ts';

beforeAll(() => tf.setBackend('cpu'));

const x = f32([2, 3, 4]);
const positive = f32([2, 3], values(6, 2, 0.01, 3));
const unit = f32([2, 3], values(6, 3, -0.99, 0.99));
const above1 = f32([2, 3], values(6, 4, 1.01, 5));
const special = f32([8], [NaN, Infinity, -Infinity, 0, -0, 0.5, -0.5, 2.5]);
const integers = i32([2, 3], [-3, -2, -1, 0, 1, 2]);

const unary: [string, Operand, (t: tf.Tensor) => tf.Tensor, number?][] = [
  ['Identity', x, (t) => t.clone()],
  ['Abs', x, tf.abs],
  ['Abs', integers, tf.abs],
  ['Acos', unit, tf.acos],
  ['Acosh', above1, tf.acosh],
  ['Asin', unit, tf.asin],
  ['Asinh', x, tf.asinh],
  ['Atan', x, tf.atan],
  ['Atanh', unit, tf.atanh],
  ['Ceil', x, tf.ceil],
  ['Ceil', special, tf.ceil],
  ['Cos', x, tf.cos],
  ['Cosh', x, tf.cosh],
  ['Elu', x, tf.elu],
  ['Erf', x, tf.erf],
  ['Exp', x, tf.exp],
  ['Exp', special, tf.exp],
  ['Expm1', x, tf.expm1],
  ['Expm1', f32([4], [1e-6, -1e-6, 80, -80]), tf.expm1],
  ['Expm1', special, tf.expm1],
  ['Floor', x, tf.floor],
  ['Log', positive, tf.log],
  ['Log', special, tf.log],
  ['Log1p', positive, tf.log1p],
  ['Log1p', f32([6], [1e-6, -1e-6, 0.499, 0.501, -0.75, 1e6]), tf.log1p],
  ['Log1p', special, tf.log1p],
  ['LogicalNot', bool([3], [1, 0, 1]), tf.logicalNot],
  ['Neg', x, tf.neg],
  ['Neg', integers, tf.neg],
  ['Reciprocal', positive, tf.reciprocal],
  ['Relu', x, tf.relu],
  ['Relu', special, tf.relu],
  ['Relu', integers, tf.relu],
  ['Relu6', f32([4], [-1, 3, 6, 9]), tf.relu6],
  ['Relu6', i32([4], [-1, 3, 6, 9]), tf.relu6],
  ['Round', f32([8], [0.5, 1.5, 2.5, -0.5, -1.5, 0.49, 2.51, 3]), tf.round],
  ['Round', integers, tf.round],
  ['Rsqrt', positive, tf.rsqrt],
  ['Selu', x, tf.selu],
  ['Sigmoid', x, tf.sigmoid],
  ['Sigmoid', special, tf.sigmoid],
  ['Sign', special, tf.sign],
  ['Sign', integers, tf.sign],
  ['Sin', x, tf.sin],
  ['Sinh', x, tf.sinh],
  ['Softplus', x, tf.softplus],
  ['Softplus', f32([5], [-100, -20, 0, 20, 100]), tf.softplus],
  ['Sqrt', positive, tf.sqrt],
  ['Square', x, tf.square],
  ['Square', integers, tf.square],
  ['Tan', x, tf.tan],
  ['Tanh', x, tf.tanh],
  ['Tanh', special, tf.tanh],
  ['IsFinite', special, tf.isFinite],
  ['IsInf', special, tf.isInf],
  ['IsNan', special, tf.isNaN],
];

describe('elementwise ops give what tfjs gives', () => {
  it.each(
    unary.map(
      ([op, operand, reference, tolerance], i) =>
        [`${op} ${operand.dtype} #${i}`, op, operand, reference, tolerance] as const,
    ),
  )('%s', (_, op, operand, reference, tolerance) => expectSame(op, [operand], {}, reference, tolerance));

  it('Step keeps NaN and takes alpha where x <= 0', () => {
    expectSame('Step', [special], { alpha: 0 }, (t) => tf.step(t));
    expectSame('Step', [special], { alpha: 0.5 }, (t) => tf.step(t, 0.5));
    expectSame('Step', [integers], { alpha: 0 }, (t) => tf.step(t));
  });

  it('ClipByValue', () => {
    expectSame('ClipByValue', [x], { clipValueMin: -1, clipValueMax: 0.5 }, (t) => tf.clipByValue(t, -1, 0.5));
    expectSame('ClipByValue', [special], { clipValueMin: -1, clipValueMax: 1 }, (t) => tf.clipByValue(t, -1, 1));
    expectSame('ClipByValue', [integers], { clipValueMin: -1, clipValueMax: 1 }, (t) => tf.clipByValue(t, -1, 1));
  });

  it('LeakyRelu, HardSigmoid, HardSwish, Swish, Gelu', () => {
    expectSame('LeakyRelu', [x], { alpha: 0.3 }, (t) => tf.leakyRelu(t, 0.3));
    expectSame('HardSigmoid', [x], { alpha: 0.2, beta: 0.5 }, (t) => tf.clipByValue(tf.add(tf.mul(t, 0.2), 0.5), 0, 1));
    const wide = f32([7], [-4, -3, -1, 0, 1, 3, 4]);
    expectSame('HardSwish', [wide], {}, (t) => tf.mul(t, tf.div(tf.relu6(tf.add(t, 3)), 6)));
    expectSame('Swish', [x], {}, (t) => tf.mul(t, tf.sigmoid(t)));
    expectSame('Gelu', [x], { approximate: false }, (t) =>
      tf.mul(tf.mul(t, 0.5), tf.add(1, tf.erf(tf.div(t, Math.SQRT2)))),
    );
    expectSame('Gelu', [x], { approximate: true }, (t) => {
      const inner = tf.mul(Math.sqrt(2 / Math.PI), tf.add(t, tf.mul(0.044715, tf.pow(t, 3))));
      return tf.mul(tf.mul(t, 0.5), tf.add(1, tf.tanh(inner)));
    });
  });

  it.each([
    ['float32', 'int32', special.data.slice(3)],
    ['float32', 'bool', Float32Array.of(0, 1, -2, 0.5, 0)],
    ['int32', 'float32', Int32Array.of(-5, 0, 7, 1, 2)],
    ['int32', 'bool', Int32Array.of(-5, 0, 7, 1, 2)],
    ['bool', 'int32', Uint8Array.of(0, 1, 1, 0, 1)],
    ['bool', 'float32', Uint8Array.of(0, 1, 1, 0, 1)],
  ] as const)('Cast %s to %s', (from, to, data) => {
    const operand = { dtype: from, shape: [5], data } as Operand;
    expectSame('Cast', [operand], { dtype: to }, (t) => tf.cast(t, to));
  });
});

const a = f32([2, 3, 4], undefined, 5);
const b = f32([3, 1], [1.5, -0.7, 2]);
const ia = i32([2, 4], [-7, -3, 0, 3, 7, 8, -8, 5]);
const ib = i32([2, 4], [2, -2, 3, -3, 3, -3, 5, 5]);

const binary: [string, Operand, Operand, (s: tf.Tensor, t: tf.Tensor) => tf.Tensor][] = [
  ['Add', a, b, tf.add],
  ['Add', ia, ib, tf.add],
  ['Sub', b, a, tf.sub],
  ['Sub', ia, ib, tf.sub],
  ['Multiply', a, b, tf.mul],
  ['Multiply', ia, ib, tf.mul],
  ['RealDiv', a, b, tf.div],
  ['FloorDiv', a, b, tf.floorDiv],
  ['FloorDiv', ia, ib, tf.floorDiv],
  ['Maximum', a, b, tf.maximum],
  ['Maximum', ia, ib, tf.maximum],
  ['Minimum', a, b, tf.minimum],
  ['Minimum', ia, ib, tf.minimum],
  ['Mod', a, b, tf.mod],
  ['Mod', ia, ib, tf.mod],
  ['Pow', f32([3], [1.5, 2, 0.5]), f32([3], [2, -1, 0.5]), tf.pow],
  ['Pow', i32([3], [-2, 3, 5]), i32([3], [3, 2, 0]), tf.pow],
  ['SquaredDifference', a, b, tf.squaredDifference],
  ['Prelu', a, f32([4], [0.1, 0.2, -0.3, 0.4]), tf.prelu],
  ['Equal', ia, ib, tf.equal],
  ['Equal', bool([3], [1, 0, 1]), bool([3], [1, 1, 0]), tf.equal],
  ['NotEqual', f32([3], [1, NaN, 2]), f32([3], [1, NaN, 3]), tf.notEqual],
  ['Greater', a, b, tf.greater],
  ['Greater', f32([3], [1, NaN, 2]), f32([3], [NaN, NaN, 1]), tf.greater],
  ['GreaterEqual', ia, ib, tf.greaterEqual],
  ['GreaterEqual', f32([3], [1, NaN, 2]), f32([3], [NaN, NaN, 1]), tf.greaterEqual],
  ['Less', bool([3], [1, 0, 1]), bool([3], [1, 1, 0]), tf.less],
  ['LessEqual', a, b, tf.lessEqual],
  ['LogicalAnd', bool([4], [0, 0, 1, 1]), bool([4], [0, 1, 0, 1]), tf.logicalAnd],
  ['LogicalOr', bool([2, 2], [0, 0, 1, 1]), bool([2], [0, 1]), tf.logicalOr],
  ['Maximum', f32([4], [1, NaN, 2, NaN]), f32([4], [NaN, 1, 3, NaN]), tf.maximum],
  ['Minimum', f32([4], [1, NaN, 2, NaN]), f32([4], [NaN, 1, 3, NaN]), tf.minimum],
];

describe('binary ops give what tfjs gives', () => {
  it.each(binary.map(([op, s, t, reference], i) => [`${op} ${s.dtype} #${i}`, op, s, t, reference] as const))(
    '%s',
    (_, op, s, t, reference) => expectSame(op, [s, t], {}, reference),
  );

  it('integer division and remainder by zero give 0 or a limit, and do not end the process', () => {
    const [seven, zero] = [i32([1], [7]), i32([1], [0])];
    expect(runOp('Mod', [seven, zero])[0]).toEqual(Int32Array.of(0));
    expect(runOp('FloorDiv', [seven, zero])[0]).toHaveLength(1);
  });

  it('Atan2 in every quadrant and on the axes', () => {
    const y = f32([11], [1, 1, -1, -1, 0, 0, 1, -1, 0, NaN, 2]);
    const xs = f32([11], [1, -1, 1, -1, 1, -1, 0, 0, 0, 1, 3]);
    expectSame('Atan2', [y, xs], {}, tf.atan2);
  });

  it('BitwiseAnd', () => {
    expect(runOp('BitwiseAnd', [i32([3], [6, -1, 12]), i32([3], [3, 255, 10])])[0]).toEqual(Int32Array.of(2, 255, 8));
  });

  it('FakeQuant rounds half to even and clips to what int8 holds, and its gradient stops where it clips', () => {
    const [x, scale, zeroPoint] = [f32([5], [0.25, 0.75, 3.7, 10, -200]), f32([1], [0.5]), f32([1], [120])];
    expectClose(runOp('FakeQuant', [x, scale, zeroPoint])[0]!, [0, 1, 3.5, 3.5, -124]);
    const dy = f32([5], [1, 2, 3, 4, 5]);
    expectClose(runOp('FakeQuantGrad', [dy, x, scale, zeroPoint])[0]!, [1, 2, 3, 0, 0]);
  });

  it('gradients of relu, relu6 and elu from their outputs', () => {
    const [dy, y] = [f32([5], [1, 2, 3, 4, 5]), f32([5], [-0.5, 0, 0.5, -0.9, 2])];
    expectClose(runOp('ReluGrad', [dy, y])[0]!, [0, 0, 3, 0, 5]);
    expectClose(runOp('Relu6Grad', [dy, f32([5], [-1, 0, 1e-30, 5.9999995, 6])])[0]!, [0, 0, 3, 4, 0]);
    expectClose(runOp('EluGrad', [dy, y])[0]!, [0.5, 2, 3, 0.4, 5]);
  });

  it.each([
    ['float32', f32([2, 2], [1, 2, 3, 4]), f32([2, 2], [5, 6, 7, 8])],
    ['int32', i32([2, 2], [1, 2, 3, 4]), i32([2, 2], [5, 6, 7, 8])],
    ['bool', bool([2, 2], [1, 1, 0, 0]), bool([2, 2], [0, 0, 1, 1])],
  ])('Select of %s', (_, t, e) => {
    const condition = bool([2, 2], [1, 0, 0, 1]);
    expectSame('Select', [condition, t, e], {}, (c, p, q) => tf.where(c, p, q));
  });
});
