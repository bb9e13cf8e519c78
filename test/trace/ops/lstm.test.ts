import * as tf from '@tensorflow/tfjs-core';
import type { LstmOptions } from '../../../src/trace/ops/lstm.ts';
import { lstm } from '../../../src/trace/ops/lstm.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

/** Gate by gate, as in the paper, with tfjs' gradients. */
function expected(
  x: tf.Tensor,
  w: tf.Tensor,
  r: tf.Tensor,
  b: tf.Tensor,
  { isReversed, isWhole }: LstmOptions,
): tf.Tensor {
  const [steps, batch] = x.shape as [number, number, number];
  const size = r.shape[1]!;
  const gates = [w, r, b].map((whole) => tf.split(whole, 4, 0));
  let [h, cell]: tf.Tensor[] = [tf.zeros([batch, size]), tf.zeros([batch, size])];
  const all: tf.Tensor[] = [];
  for (let step = 0; step < steps; step++) {
    const at = isReversed ? steps - 1 - step : step;
    const now = tf.unstack(x)[at]!;
    const sum = (i: number): tf.Tensor => {
      const [own, past, bias] = gates.map((parts) => parts[i]!) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D];
      return tf.add(
        tf.add(tf.matMul(now as tf.Tensor2D, own, false, true), tf.matMul(h as tf.Tensor2D, past, false, true)),
        bias,
      );
    };
    const [input, output, forget] = [0, 1, 2].map((i) => tf.sigmoid(sum(i))) as [tf.Tensor, tf.Tensor, tf.Tensor];
    cell = tf.add(tf.mul(forget, cell!), tf.mul(input, tf.tanh(sum(3))));
    h = tf.mul(output, tf.tanh(cell));
    all[at] = h;
  }
  return isWhole ? tf.stack(all) : tf.expandDims(h!, 0);
}

const normal = (shape: number[], seed: number): tf.Tensor => tf.randomNormal(shape, 0, 1, 'float32', seed);

describe('an LSTM with its own gradient', () => {
  it.each([
    // 2 and 65,536 numbers of gates in a step: all steps at once, and four.
    ['a short sequence', [5, 3, 2], 4],
    ['steps in several parts', [6, 2048, 2], 8],
  ])('gives the values and gradients of the formula over %s', (_, shape, size) => {
    const operands = [normal(shape, 1), ...[[4 * size, 2], [4 * size, size], [4 * size]].map((of, i) => tf.mul(normal(of, i + 2), 0.5))]; // prettier-ignore
    for (const [isReversed, isWhole] of [
      [false, true],
      [true, true],
      [false, false],
      [true, false],
    ] as const) {
      // prettier-ignore
      const slope = normal([isWhole ? shape[0]! : 1, shape[1]!, size], 9);
      const [found, wanted] = [lstm, expected].map((run) => {
        const f = (...given: tf.Tensor[]): tf.Scalar => {
          const [x, w, r, b] = given as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
          return tf.sum(tf.mul(run(x, w, r, b, { isReversed, isWhole }), slope));
        };
        const [x, w, r, b] = operands as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
        return [run(x, w, r, b, { isReversed, isWhole }), ...tf.grads(f)(operands)].map((tensor) =>
          Array.from(tensor.dataSync()),
        );
      }) as [number[][], number[][]];
      found.forEach((values, i) => {
        const largest = Math.max(...wanted[i]!.map(Math.abs));
        const difference = Math.max(...values.map((value, k) => Math.abs(value - wanted[i]![k]!)));
        expect(difference / largest).toBeLessThan(5e-6);
      });
    }
  });

  it('has a bias of zeros where none is given', () => {
    const [x, w, r] = [normal([3, 2, 2], 1), normal([16, 2], 2), normal([16, 4], 3)];
    const options = { isReversed: false, isWhole: true };
    const [without, zeros] = [undefined, tf.zeros([16])].map((bias) => lstm(x, w, r, bias, options).dataSync());
    expect(without).toEqual(zeros);
  });
});
