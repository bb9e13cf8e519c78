import * as tf from '@tensorflow/tfjs-core';
import { evaluator } from '../../../src/runtime/onnxruntime/evaluator.ts';
import { DilatedDepthwise } from '../../../src/trace/layers/dilated-depthwise.ts';
import { useLazyBackend } from '../../../src/trace/use.ts';

beforeAll(() => useLazyBackend(evaluator));

it('a dilated depthwise convolution has the answers and gradients of a filter with zeros between its taps', async () => {
  const layer = new DilatedDepthwise({ kernelSize: [3, 1], dilationRate: [2, 1], padding: 'same', useBias: false });
  const x = tf.randomNormal<tf.Rank.R4>([2, 9, 3, 4], 0, 1, 'float32', 1);
  const taps = tf.randomNormal<tf.Rank.R4>([3, 1, 4, 1], 0, 1, 'float32', 2);
  layer.apply(x);
  layer.setWeights([taps]);
  const spaced = (filter: tf.Tensor4D): tf.Tensor4D =>
    tf.slice<tf.Rank.R4, tf.Tensor4D>(tf.reshape<tf.Rank.R4>(tf.pad(tf.reshape(filter, [3, 1, 4]), [[0, 0], [0, 1], [0, 0]]), [6, 1, 4, 1]), [0, 0, 0, 0], [5, 1, 4, 1]); // prettier-ignore
  const weights = tf.randomNormal([2, 9, 3, 4], 0, 1, 'float32', 3);
  const lossOf = (y: tf.Tensor): tf.Scalar => tf.sum(tf.mul(y, weights));
  const filter: tf.Tensor = layer.trainableWeights[0]!.read();
  if (!(filter instanceof tf.Variable)) throw new Error('the filter is no variable');
  const own = tf.variableGrads(() => lossOf(layer.apply(x) as tf.Tensor), [filter]);
  const byInput = tf.grad((input) => lossOf(layer.apply(input) as tf.Tensor))(x);
  const wide = (input: tf.Tensor4D, f: tf.Tensor4D): tf.Tensor => tf.depthwiseConv2d(input, spaced(f), 1, 'same');
  const [expectedX, expectedTaps] = tf.grads((input, f) => lossOf(wide(input as tf.Tensor4D, f as tf.Tensor4D)))([
    x,
    taps,
  ]);
  for (const [actual, expected] of [
    [layer.apply(x) as tf.Tensor, wide(x, taps)],
    [byInput, expectedX!],
    [Object.values(own.grads)[0]!, expectedTaps!],
  ] as const) {
    const [a, b] = [await actual.data(), await expected.data()];
    expect(a).toHaveLength(b.length);
    b.forEach((value, i) => expect(a[i]).toBeCloseTo(value, 4));
  }
});
