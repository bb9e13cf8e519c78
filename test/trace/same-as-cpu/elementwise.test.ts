import * as tf from '@tensorflow/tfjs-core';
import { fakeQuantizeActivation } from '../../../src/compress/quantize/qat/fake-quantize.ts';
import { numbers } from '../../support/graphs.ts';
import type { Case, Fn, Options } from '../../support/same-as-cpu.ts';
import { describeSameAsCpu } from '../../support/same-as-cpu.ts';

const positive: Options = { values: (count, i) => numbers(count, i).map((x) => Math.abs(x) + 0.1) };
const inside: Options = { values: (count, i) => numbers(count, i).map((x) => Math.tanh(x) * 0.9) };
const above: Options = { values: (count, i) => numbers(count, i).map((x) => Math.abs(x) + 1.1) };

const gelu: Fn = (x) => tf.mul(x, tf.mul(0.5, tf.add(1, tf.erf(tf.div(x, Math.SQRT2)))));
const hardSigmoid: Fn = (x) => tf.clipByValue(tf.add(tf.div(x, 6), 0.5), 0, 1);

const UNARY: Readonly<Record<string, readonly [Fn, Options?]>> = {
  relu: [(x) => tf.relu(x)],
  relu6: [(x) => tf.relu6(tf.mul(x, 4))],
  'relu up to a value': [(x) => tf.clipByValue(tf.relu(tf.mul(x, 4)), 0, 3)],
  'relu up to itself': [(x) => tf.clipByValue(tf.relu(tf.round(tf.mul(x, 4))), 0, 3)],
  leakyRelu: [(x) => tf.leakyRelu(x, 0.1)],
  elu: [(x) => tf.elu(x)],
  selu: [(x) => tf.selu(x)],
  fakeQuant: [(x) => fakeQuantizeActivation(x, tf.tensor1d([0.01]), tf.tensor1d([30]))],
  gelu: [gelu],
  swish: [(x) => tf.mul(x, tf.sigmoid(x))],
  hardSigmoid: [hardSigmoid],
  hardSwish: [(x) => tf.mul(x, hardSigmoid(x))],
  sigmoid: [(x) => tf.sigmoid(x)],
  logSigmoid: [(x) => tf.logSigmoid(x)],
  tanh: [(x) => tf.tanh(x)],
  softplus: [(x) => tf.softplus(x)],
  abs: [(x) => tf.abs(x)],
  neg: [(x) => tf.neg(x)],
  exp: [(x) => tf.exp(x)],
  expm1: [(x) => tf.expm1(x)],
  log: [(x) => tf.log(x), positive],
  log1p: [(x) => tf.log1p(x), positive],
  sqrt: [(x) => tf.sqrt(x), positive],
  rsqrt: [(x) => tf.rsqrt(x), positive],
  square: [(x) => tf.square(x)],
  reciprocal: [(x) => tf.reciprocal(x), positive],
  erf: [(x) => tf.erf(x)],
  sin: [(x) => tf.sin(x)],
  cos: [(x) => tf.cos(x)],
  tan: [(x) => tf.tan(x), inside],
  asin: [(x) => tf.asin(x), inside],
  acos: [(x) => tf.acos(x), inside],
  atan: [(x) => tf.atan(x)],
  sinh: [(x) => tf.sinh(x)],
  cosh: [(x) => tf.cosh(x)],
  asinh: [(x) => tf.asinh(x)],
  acosh: [(x) => tf.acosh(x), above],
  atanh: [(x) => tf.atanh(x), inside],
  clip: [(x) => tf.clipByValue(x, -0.5, 0.7)],
  'clip below alone': [(x) => tf.clipByValue(x, -0.5, Infinity)],
  step: [(x) => tf.step(x)],
  sign: [(x) => tf.sign(x)],
  floor: [(x) => tf.floor(x)],
  round: [(x) => tf.round(x)],
  softmax: [(x) => tf.softmax(x)],
  logSoftmax: [(x) => tf.logSoftmax(x)],
};

/** Where tfjs' gradient has the shape of the result, not of the operand: its own, on operands broadcast before. */
const whole =
  (fn: Fn): Fn =>
  (a, b) => {
    const shape = tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
    return fn(tf.add(a, tf.zeros(shape)), tf.add(b, tf.zeros(shape)));
  };

const wholly = (fn: Fn): readonly [Fn, Options] => [fn, { reference: whole(fn) }];

const BINARY: Readonly<Record<string, readonly [Fn, Options?]>> = {
  add: [(a, b) => tf.add(a, b)],
  sub: [(a, b) => tf.sub(a, b)],
  mul: [(a, b) => tf.mul(a, b)],
  div: [(a, b) => tf.div(a, b), positive],
  maximum: wholly((a, b) => tf.maximum(a, b)),
  minimum: wholly((a, b) => tf.minimum(a, b)),
  pow: [(a, b) => tf.pow(a, b), positive],
  mod: [(a, b) => tf.mod(a, b), positive],
  squaredDifference: wholly((a, b) => tf.squaredDifference(a, b)),
  atan2: [(a, b) => tf.atan2(a, b)],
  prelu: [(a, b) => tf.prelu(a, b)],
  where: [(a, b) => tf.where(tf.greater(a, b), a, b)],
};

const SHAPES: readonly (readonly [number[], number[]])[] = [
  [[2, 3, 4], [2, 3, 4]],
  [[2, 3, 4], [4]],
  [[2, 3, 4], [3, 1]],
  [[2, 3, 4], []],
  [[2, 1, 4], [3, 1]],
]; // prettier-ignore

const LOGIC: Readonly<Record<string, Fn>> = {
  equal: (a, b) => tf.equal(tf.round(a), tf.round(b)),
  notEqual: (a, b) => tf.notEqual(tf.round(a), tf.round(b)),
  greater: (a, b) => tf.greater(a, b),
  greaterEqual: (a, b) => tf.greaterEqual(a, b),
  less: (a, b) => tf.less(a, b),
  lessEqual: (a, b) => tf.lessEqual(a, b),
  and: (a, b) => tf.logicalAnd(tf.greater(a, 0), tf.greater(b, 0)),
  or: (a, b) => tf.logicalOr(tf.greater(a, 0), tf.greater(b, 0)),
  xor: (a, b) => tf.logicalXor(tf.greater(a, 0), tf.greater(b, 0)),
  not: (a) => tf.logicalNot(tf.greater(a, 0)),
  floorDiv: (a, b) => tf.floorDiv(a, b),
  'cast to int32': (a) => tf.cast(tf.mul(a, 3), 'int32'),
  'cast to bool': (a) => tf.cast(tf.round(a), 'bool'),
};

describeSameAsCpu(
  'functions of one value',
  Object.entries(UNARY).map(([name, [fn, options]]): Case => [name, fn, [[3, 5]], options]),
);

describeSameAsCpu(
  'functions of two values',
  Object.entries(BINARY).flatMap(([name, [fn, options]]) =>
    SHAPES.filter(([, b]) => name !== 'prelu' || b.length < 2 || b.length === 3).map((shapes): Case => [
      `${name} of [${shapes[0].join()}] and [${shapes[1].join()}]`,
      fn,
      shapes,
      options,
    ]),
  ),
);

describeSameAsCpu(
  'comparisons, logic and casts',
  Object.entries(LOGIC).flatMap(([name, fn]) =>
    SHAPES.map((shapes): Case => [
      `${name} of [${shapes[0].join()}] and [${shapes[1].join()}]`,
      fn,
      shapes,
      { gradient: false },
    ]),
  ),
);
