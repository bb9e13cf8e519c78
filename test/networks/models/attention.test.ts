import * as tf from '@tensorflow/tfjs-core';
import { Gelu } from '../../../src/networks/models/attention.ts';
import { evaluator } from '../../../src/runtime/onnxruntime/engine.ts';
import { useLazyBackend } from '../../../src/trace/use.ts';

beforeAll(() => useLazyBackend(evaluator));

it('gelu and its gradient are those of tfjs, term by term', () => {
  const x = tf.tensor1d([-1e4, -9, -3, -1, -1e-3, 0, 1e-3, 0.5, 2, 5, 40]);
  const dy = tf.range(1, 12);
  const layer = new Gelu({});
  const plain = (t: tf.Tensor): tf.Tensor => tf.mul(tf.mul(t, 0.5), tf.add(tf.erf(tf.mul(t, Math.SQRT1_2)), 1));
  expect(layer.call(x).dataSync()).toEqual(plain(x).dataSync());
  const [own, expected] = [(t: tf.Tensor) => layer.call(t), plain].map((f) =>
    tf
      .valueAndGrad((t: tf.Tensor) => tf.sum(tf.mul(f(t), dy)))(x)
      .grad.dataSync(),
  );
  own!.forEach((value, i) =>
    expect(Math.abs(value - expected![i]!)).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected![i]!))),
  );
});
