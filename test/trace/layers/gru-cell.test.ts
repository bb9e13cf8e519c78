import * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import { callGruCell } from '../../../src/trace/layers/gru-cell.ts';
import type { LayerLike } from '../../../src/trace/layers/types.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

const [BATCH, FEATURES, UNITS] = [3, 5, 4];
type Weights = [kernel: tf.Tensor2D, recurrent: tf.Tensor2D, bias: tf.Tensor1D];

const hardSigmoid = (x: tf.Tensor): tf.Tensor => tf.minimum(tf.maximum(tf.add(tf.mul(0.2, x), 0.5), 0), 1);

const cellOf = ([kernel, recurrent, bias]: Weights, more: object = {}): LayerLike => {
  const variable = (tensor: tf.Tensor): Pick<LayerVariable, 'read'> => ({ read: () => tensor });
  const weights = { kernel: variable(kernel), recurrentKernel: variable(recurrent), bias: variable(bias) };
  const activation = { apply: (x: tf.Tensor) => tf.tanh(x), getClassName: () => 'tanh' };
  const recurrentActivation = { apply: hardSigmoid, getClassName: () => 'hardSigmoid' };
  const cell = { units: UNITS, ...weights, activation, recurrentActivation, dropout: 0, recurrentDropout: 0, ...more };
  return cell as unknown as LayerLike;
};

/** Gate by gate, as in the paper. */
function expected(
  x: tf.Tensor2D,
  h: tf.Tensor2D,
  [kernel, recurrent, bias]: Weights,
  activation: (x: tf.Tensor) => tf.Tensor,
): tf.Tensor {
  const part = <T extends tf.Tensor>(tensor: T, i: number): T =>
    tf.slice(tensor, [...tensor.shape.map(() => 0).slice(1), i * UNITS], [...tensor.shape.slice(0, -1), UNITS]);
  const fed = (i: number): tf.Tensor => tf.add(tf.matMul(x, part(kernel, i)), part(bias, i));
  const gate = (i: number): tf.Tensor => activation(tf.add(fed(i), tf.matMul(h, part(recurrent, i))));
  const [z, r] = [gate(0), gate(1)];
  const fresh = tf.tanh(tf.add(fed(2), tf.matMul(tf.mul<tf.Tensor2D>(r, h), part(recurrent, 2))));
  return tf.add(tf.mul(z, h), tf.mul(tf.sub(1, z), fresh));
}

const normal = (shape: number[], seed: number): tf.Tensor => tf.randomNormal(shape, 0, 1, 'float32', seed);
const operands = (): [tf.Tensor2D, tf.Tensor2D, ...Weights] =>
  [
    normal([BATCH, FEATURES], 1),
    normal([BATCH, UNITS], 2),
    normal([FEATURES, 3 * UNITS], 3),
    normal([UNITS, 3 * UNITS], 4),
    normal([3 * UNITS], 5),
  ] as [tf.Tensor2D, tf.Tensor2D, ...Weights];

describe('a step of a GRU', () => {
  const sigmoid = { apply: (x: tf.Tensor) => tf.sigmoid(x), getClassName: () => 'sigmoid' };
  it.each<[string, object, (x: tf.Tensor) => tf.Tensor]>([
    ['a hard sigmoid', {}, hardSigmoid],
    ['a sigmoid', { recurrentActivation: sigmoid }, tf.sigmoid],
  ])('and its gradients are those of the formula, with and without a bias, with %s', (_, more, activation) => {
    const direction = normal([BATCH, UNITS], 6);
    const run = (step: (x: tf.Tensor2D, h: tf.Tensor2D, weights: Weights) => tf.Tensor): number[][] => {
      const f = (...all: tf.Tensor[]): tf.Scalar => {
        const [x, h, ...weights] = all as [tf.Tensor2D, tf.Tensor2D, ...Weights];
        return tf.sum(tf.mul(step(x, h, weights), direction));
      };
      const [x, h, ...weights] = operands();
      const values = [step(x, h, weights), ...tf.grads(f)([x, h, ...weights])];
      return values.map((tensor) => [...tensor.dataSync()]);
    };
    const zeros = tf.zeros<tf.Rank.R1>([3 * UNITS]);
    for (const hasBias of [true, false]) {
      const changes = { ...more, ...(!hasBias && { bias: null }) };
      // Without a bias the step depends on it by a product with zero alone.
      const got = run((x, h, weights) => {
        const y = callGruCell(cellOf(weights, changes), [x, h])![0]!;
        return hasBias ? y : tf.add(y, tf.sum(tf.mul(0, weights[2])));
      });
      const wanted = run((x, h, [kernel, recurrent, bias]) =>
        expected(x, h, [kernel, recurrent, hasBias ? bias : tf.add(zeros, tf.mul(0, bias))], activation),
      );
      expect(got.map((values) => values.length)).toEqual(wanted.map((values) => values.length));
      for (const [i, values] of got.entries())
        for (const [j, value] of values.entries()) expect(value).toBeCloseTo(wanted[i]![j]!, 5);
    }
  });

  const softmax = { apply: (x: tf.Tensor) => tf.softmax(x), getClassName: () => 'softmax' };
  it.each([
    ['dropout', { dropout: 0.5 }],
    ['recurrent dropout', { recurrentDropout: 0.5 }],
    ['a softmax over the units of a gate', { recurrentActivation: softmax }],
  ])('with %s is left to tfjs', (_, more) => {
    const [x, h, ...weights] = operands();
    expect(callGruCell(cellOf(weights, more), [x, h])).toBeUndefined();
  });
});
