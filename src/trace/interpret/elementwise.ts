import * as tf from '@tensorflow/tfjs-core';
import type { DType } from '../../graph/types.ts';
import { fakeQuant, fakeQuantGradient } from '../ops/fake-quant.ts';
import type { InterpretRule, Rules } from './table.ts';
import { numberAttr } from './table.ts';

const unary =
  (run: (x: tf.Tensor) => tf.Tensor): InterpretRule =>
  ([x]) =>
    run(x!);

const binary =
  (run: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): InterpretRule =>
  ([a, b]) =>
    run(a!, b!);

const TO_TFJS: Readonly<Record<DType, tf.DataType>> = {
  float32: 'float32',
  float16: 'float32',
  int64: 'int32',
  int32: 'int32',
  int16: 'int32',
  int8: 'int32',
  uint8: 'int32',
  bool: 'bool',
};

/** tfjs' dtype for `dtype`; it has only three. */
export function tfjsDtype(dtype: DType): tf.DataType {
  return TO_TFJS[dtype];
}

function gelu(x: tf.Tensor, approximate: boolean): tf.Tensor {
  const inner = approximate
    ? tf.tanh(tf.mul(Math.sqrt(2 / Math.PI), tf.add(x, tf.mul(0.044715, tf.mul(x, tf.square(x))))))
    : tf.erf(tf.div(x, Math.SQRT2));
  return tf.mul(tf.mul(0.5, x), tf.add(1, inner));
}

export const elementwise: Rules = {
  Identity: unary((x) => tf.clone(x)),
  Dropout: unary((x) => tf.clone(x)),
  Abs: unary(tf.abs),
  Acos: unary(tf.acos),
  Acosh: unary(tf.acosh),
  Asin: unary(tf.asin),
  Asinh: unary(tf.asinh),
  Atan: unary(tf.atan),
  Atanh: unary(tf.atanh),
  Ceil: unary(tf.ceil),
  ClipByValue: ([x], attrs) => tf.clipByValue(x!, numberAttr(attrs, 'clipValueMin'), numberAttr(attrs, 'clipValueMax')),
  Cos: unary(tf.cos),
  Cosh: unary(tf.cosh),
  Elu: unary(tf.elu),
  Erf: unary(tf.erf),
  Exp: unary(tf.exp),
  Expm1: unary(tf.expm1),
  Floor: unary(tf.floor),
  Gelu: ([x], attrs) => gelu(x!, attrs.approximate === true),
  HardSigmoid: ([x], attrs) =>
    tf.clipByValue(tf.add(tf.mul(x!, numberAttr(attrs, 'alpha')), numberAttr(attrs, 'beta')), 0, 1),
  HardSwish: unary((x) => tf.mul(x, tf.clipByValue(tf.add(tf.div(x, 6), 0.5), 0, 1))),
  LeakyRelu: ([x], attrs) => tf.leakyRelu(x!, numberAttr(attrs, 'alpha')),
  Log: unary(tf.log),
  Log1p: unary(tf.log1p),
  LogicalNot: unary(tf.logicalNot),
  Neg: unary(tf.neg),
  Reciprocal: unary(tf.reciprocal),
  Relu: unary(tf.relu),
  Relu6: unary(tf.relu6),
  Round: unary(tf.round),
  Rsqrt: unary(tf.rsqrt),
  Selu: unary(tf.selu),
  Sigmoid: unary(tf.sigmoid),
  Sign: unary(tf.sign),
  Sin: unary(tf.sin),
  Sinh: unary(tf.sinh),
  Softplus: unary(tf.softplus),
  Sqrt: unary(tf.sqrt),
  Square: unary(tf.square),
  Step: ([x], attrs) => tf.step(x!, numberAttr(attrs, 'alpha')),
  Swish: unary((x) => tf.mul(x, tf.sigmoid(x))),
  Tan: unary(tf.tan),
  Tanh: unary(tf.tanh),
  IsFinite: unary(tf.isFinite),
  IsInf: unary(tf.isInf),
  IsNan: unary(tf.isNaN),
  Cast: ([x], attrs) => tf.cast(x!, tfjsDtype(attrs.dtype as DType)),
  Add: binary(tf.add),
  Sub: binary(tf.sub),
  Multiply: binary(tf.mul),
  RealDiv: binary(tf.div),
  FloorDiv: binary(tf.floorDiv),
  Maximum: binary(tf.maximum),
  Minimum: binary(tf.minimum),
  Mod: binary(tf.mod),
  Pow: binary(tf.pow),
  SquaredDifference: binary(tf.squaredDifference),
  Atan2: binary(tf.atan2),
  BitwiseAnd: binary((a, b) => tf.bitwiseAnd(a, b)),
  Prelu: binary(tf.prelu),
  EluGrad: binary((dy, y) => tf.where(tf.greaterEqual(y, 0), dy, tf.mul(dy, tf.add(y, 1)))),
  ReluGrad: binary((dy, x) => tf.where(tf.greater(x, 0), dy, tf.zerosLike(dy))),
  Relu6Grad: binary((dy, y) => tf.where(tf.logicalAnd(tf.greater(y, 0), tf.less(y, 6)), dy, tf.zerosLike(dy))),
  FakeQuant: ([x, scale, zeroPoint]) => fakeQuant(x!, scale!, zeroPoint!),
  FakeQuantGrad: ([dy, x, scale, zeroPoint]) => fakeQuantGradient(dy!, x!, scale!, zeroPoint!),
  Equal: binary(tf.equal),
  NotEqual: binary(tf.notEqual),
  Greater: binary(tf.greater),
  GreaterEqual: binary(tf.greaterEqual),
  Less: binary(tf.less),
  LessEqual: binary(tf.lessEqual),
  LogicalAnd: binary(tf.logicalAnd),
  LogicalOr: binary(tf.logicalOr),
  Select: ([condition, t, e]) => tf.where(condition!, t!, e!),
};
