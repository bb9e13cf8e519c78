import * as tf from '@tensorflow/tfjs-core';
import { SubSpectralNorm } from '../../../src/networks/models/sub-spectral-norm.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

const [BANDS, EPSILON] = [2, 1e-3];

/** [batch, time, frequency, channels], where low frequencies are louder than high ones. */
const sound = (): tf.Tensor4D => {
  const x = tf.randomNormal<tf.Rank.R4>([4, 3, 6, 2], 1, 2, 'float32', 5);
  return tf.mul(x, tf.reshape(tf.tensor1d([9, 9, 9, 1, 1, 1]), [1, 1, 6, 1]));
};

function layer(): SubSpectralNorm {
  return new SubSpectralNorm({ name: 'norm', bands: BANDS, momentum: 0.9, epsilon: EPSILON });
}

it('normalizes each part of the frequencies, channel by channel, by its own mean and deviation', () => {
  const x = sound();
  const y = layer().apply(x, { training: true }) as tf.Tensor4D;
  for (const band of [0, 1]) {
    const part = tf.slice(x, [0, 0, 3 * band, 0], [4, 3, 3, 2]);
    const { mean, variance } = tf.moments(part, [0, 1, 2]);
    const expected = tf.div(tf.sub(part, mean), tf.sqrt(tf.add(variance, EPSILON))).dataSync();
    const actual = tf.slice(y, [0, 0, 3 * band, 0], [4, 3, 3, 2]).dataSync();
    expected.forEach((value, i) => expect(actual[i]).toBeCloseTo(value, 4));
  }
});

it('follows them as it is trained, and applies what it has followed and learnt', () => {
  const norm = layer();
  const x = sound();
  for (let i = 0; i < 60; i++) norm.apply(x, { training: true });
  const [trained, fixed] = [true, false].map((training) => (norm.apply(x, { training }) as tf.Tensor).dataSync());
  trained!.forEach((value, i) => expect(fixed![i]).toBeCloseTo(value, 1));
  // gamma and beta have the parts one behind the other, channel by channel within each.
  const [gamma, beta, ...rest] = norm.getWeights();
  norm.setWeights([tf.mul(gamma!, tf.tensor1d([1, 2, 3, 4])), tf.add(beta!, tf.tensor1d([0, 0, 0, 5])), ...rest]);
  const changed = (norm.apply(x, { training: false }) as tf.Tensor).dataSync();
  changed.forEach((value, i) => {
    const [channel, band] = [i % 2, Math.floor(i / 2) % 6 < 3 ? 0 : 1];
    const part = 2 * band + channel;
    expect(value).toBeCloseTo((part + 1) * fixed![i]! + (part === 3 ? 5 : 0), 3);
  });
});

it('of one part is a batch norm', () => {
  const norm = new SubSpectralNorm({ name: 'norm', bands: 1, momentum: 0.9, epsilon: EPSILON });
  const x = sound();
  norm.apply(x, { training: true });
  const [gamma, beta, mean, variance] = [
    [2, 3],
    [4, 5],
    [6, 7],
    [8, 9],
  ].map((values) => tf.tensor1d(values)) as [tf.Tensor1D, tf.Tensor1D, tf.Tensor1D, tf.Tensor1D];
  norm.setWeights([gamma, beta, mean, variance]);
  const expected = tf.batchNorm(x, mean, variance, beta, gamma, EPSILON).dataSync();
  const actual = (norm.apply(x, { training: false }) as tf.Tensor).dataSync();
  expected.forEach((value, i) => expect(actual[i]).toBeCloseTo(value, 4));
});
