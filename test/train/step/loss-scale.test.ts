import * as tf from '@tensorflow/tfjs-core';
import { LossScale } from '../../../src/train/step/loss-scale.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

function setUp(factor: number, steps = 0) {
  const scale = new LossScale();
  const { 'lossScale/factor': factorVariable, 'lossScale/steps': stepsVariable } = scale.variables;
  factorVariable!.assign(tf.scalar(factor));
  stepsVariable!.assign(tf.scalar(steps));
  const weight = tf.variable(tf.tensor1d([1, 2]));
  const slot = tf.variable(tf.tensor1d([5, 5]));
  /** As an optimizer does: both change, also for a gradient of zeros. */
  const step = (gradient: number[]): void =>
    scale.apply({ weight: tf.tensor1d(gradient) }, { weight, slot }, ({ weight: plain }) => {
      slot.assign(tf.add(tf.mul(slot, 0.5), plain!));
      weight.assign(tf.sub(weight, slot));
    });
  const values = (): number[][] => [weight, slot, factorVariable!, stepsVariable!].map((v) => [...v.dataSync()]);
  return { scale, step, values };
}

describe('dynamic loss scaling', () => {
  it('divides gradients by what the loss was multiplied with', () => {
    const { scale, step, values } = setUp(8);
    expect(scale.scaled(tf.scalar(3)).dataSync()[0]).toBe(24);
    step([8, 16]);
    expect(values()).toEqual([[-2.5, -2.5], [3.5, 4.5], [8], [1]]);
  });

  it.each([Infinity, -Infinity, NaN])('a gradient of %p changes nothing but the factor and the count', (bad) => {
    const { step, values } = setUp(8, 7);
    step([1, bad]);
    expect(values()).toEqual([[1, 2], [5, 5], [4], [0]]);
  });

  it('grows after 2,000 steps without overflow, up to 2^24, and does not fall below 1', () => {
    const early = setUp(8, 1998);
    early.step([0, 0]);
    expect(early.values().slice(2)).toEqual([[8], [1999]]);
    early.step([0, 0]);
    expect(early.values().slice(2)).toEqual([[16], [0]]);
    const large = setUp(2 ** 24, 1999);
    large.step([0, 0]);
    expect(large.values().slice(2)).toEqual([[2 ** 24], [0]]);
    const small = setUp(1);
    small.step([NaN, 0]);
    expect(small.values().slice(2)).toEqual([[1], [0]]);
  });
});
