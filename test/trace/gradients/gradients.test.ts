import * as tf from '@tensorflow/tfjs-core';
import { evaluator } from '../../../src/runtime/onnxruntime/evaluator.ts';
import { traceFunction } from '../../../src/trace/trace.ts';
import { useLazyBackend } from '../../../src/trace/use.ts';

beforeAll(() => useLazyBackend(evaluator));

it('a norm has the gradient 0 where all that it is of are zeros, as a ReLU may leave them', () => {
  const norms = (x: tf.Tensor): tf.Tensor => tf.sqrt(tf.sum(tf.square(x), -1, true));
  const x = tf.tensor2d([
    [3, 4],
    [0, 0],
  ]);
  expect([...tf.grad(norms)(x).dataSync()]).toEqual([expect.closeTo(0.6), expect.closeTo(0.8), 0, 0]);
  const normalized = tf.grad((value) => tf.div(value, tf.maximum(norms(value), 1e-12)))(x);
  expect([...normalized.dataSync()].every(Number.isFinite)).toBe(true);
});

describe('a mirrored element has a share in the gradient of the one that it shows', () => {
  const paddings: [number, number][] = [[2, 1], [0, 3]]; // prettier-ignore
  it.each(['reflect', 'symmetric'] as const)('%s', (mode) => {
    const x = tf.tensor2d(Array.from({ length: 20 }, (_, i) => Math.sin(i)), [4, 5]); // prettier-ignore
    const weights = tf.tensor2d(Array.from({ length: 56 }, (_, i) => Math.cos(i * i)), [7, 8]); // prettier-ignore
    // Padding is linear: the gradient by one element is what a picture of that element alone gives.
    const weighed = (value: tf.Tensor): tf.Tensor => tf.sum(tf.mul(tf.mirrorPad(value, paddings, mode), weights));
    const alone = Array.from({ length: 20 }, (_, i) => weighed(tf.reshape(tf.oneHot(i, 20), [4, 5])).dataSync()[0]!);
    [...tf.grad(weighed)(x).dataSync()].forEach((value, i) => expect(value).toBeCloseTo(alone[i]!, 5));
  });
});

it('a clip hands on the gradient of what it leaves as it is, its limits among it, and none of NaN', () => {
  const clip = (value: tf.Tensor): tf.Tensor => tf.mul(tf.clipByValue(value, -1, 2), 3);
  const x = tf.tensor1d([-1.5, -1, -0, 2, 2.5, Infinity, NaN]);
  expect([...tf.grad(clip)(x).dataSync()]).toEqual([0, 3, 3, 3, 0, 0, 0]);
});

it('a ReLU with a maximum of 6 is one node in both directions, and so is relu6; other maxima are clips', () => {
  const ops = (activation: (x: tf.Tensor) => tf.Tensor): string[] => {
    const run = ({ x }: Record<string, tf.Tensor>): Record<string, tf.Tensor> => ({ dx: tf.grad(activation)(x!) });
    return traceFunction(run, { x: { dtype: 'float32', shape: [4] } }).nodes.map(({ op }) => op);
  };
  const limited = (most: number) => (x: tf.Tensor) => tf.clipByValue(tf.relu(x), 0, most);
  expect(ops(limited(6)).filter((op) => /Relu|Clip/.test(op))).toEqual(['Relu6', 'Relu6Grad']);
  expect(ops(tf.relu6).filter((op) => /Relu|Clip/.test(op))).toEqual(['Relu6', 'Relu6Grad']);
  expect(ops(limited(5)).filter((op) => /Relu|Clip/.test(op))).toEqual(['Relu', 'ReluGrad', 'ReluGrad']);
  const x = tf.tensor1d([-1, 0, 1e-9, 5.9999995, 6, 7]);
  for (const activation of [limited(6), tf.relu6])
    expect([...tf.grad(activation)(x).dataSync()]).toEqual([0, 0, 1, 1, 0, 0]);
  // The gradient of what a ReLU hands to others as well passes its own limit.
  const both = (value: tf.Tensor): tf.Tensor => tf.add(tf.clipByValue(tf.relu(value), 0, 6), tf.relu(value));
  expect([...tf.grad(both)(x).dataSync()]).toEqual([0, 0, 2, 2, 1, 1]);
});

it('the largest values hand their gradient back to where they were found', () => {
  const x = tf.tensor2d([[3, 1, 2], [0, 5, 4]]); // prettier-ignore
  const weighed = (value: tf.Tensor): tf.Tensor => tf.sum(tf.mul(tf.topk(value, 2).values, tf.tensor1d([10, 1])));
  expect([...tf.grad(weighed)(x).dataSync()]).toEqual([10, 0, 1, 0, 10, 1]);
});

it('the largest of one value, and a split into one part, hand on all of their gradient', () => {
  const x = tf.tensor2d([[3], [-2]]);
  const largest = (value: tf.Tensor): tf.Tensor => tf.mul(tf.topk(value, 1).values, tf.tensor2d([[5], [7]]));
  expect([...tf.grad(largest)(x).dataSync()]).toEqual([5, 7]);
  const split = (value: tf.Tensor): tf.Tensor => tf.mul(tf.split(value, [2], 0)[0]!, tf.tensor2d([[5], [7]]));
  expect([...tf.grad(split)(x).dataSync()]).toEqual([5, 7]);
});

it.each([
  ['max', tf.max],
  ['min', tf.min],
] as const)('%s shares its gradient among equal ones, as a sum does not grow by repeating a value', (_, of) => {
  const x = tf.tensor2d([[2, 2, 2], [1, 3, 1]]); // prettier-ignore
  const weighed = (value: tf.Tensor): tf.Tensor => tf.sum(tf.mul(of(value, 1), tf.tensor1d([6, 4])));
  const second = of === tf.max ? [0, 4, 0] : [2, 0, 2];
  expect([...tf.grad(weighed)(x).dataSync()]).toEqual([2, 2, 2, ...second]);
  expect(
    [
      ...tf
        .grad((value) => of(value))(x)
        .dataSync(),
    ].reduce((a, b) => a + b),
  ).toBeCloseTo(1);
});

describe('the gradient of a matrix that multiplies many', () => {
  const values = (shape: number[], seed: number): tf.Tensor =>
    tf.tensor(
      Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(seed + i * i)),
      shape,
    );

  it.each([
    ['of two axes', [5, 6], false],
    ['among batches of one', [1, 5, 6], false],
    ['transposed', [1, 1, 6, 5], true],
  ] as [string, number[], boolean][])('%s is the sum over all of their rows', (_, shape, transposed) => {
    const [x, matrix, slope] = [values([2, 3, 4, 5], 1), values(shape, 2), values([2, 3, 4, 6], 3)];
    const weighed = (w: tf.Tensor): tf.Tensor => tf.sum(tf.mul(tf.matMul(x, w, false, transposed), slope));
    const gradient = tf.grad(weighed)(matrix);
    expect(gradient.shape).toEqual(shape);
    const [rows, slopes] = [x.reshape([24, 5]).arraySync(), slope.reshape([24, 6]).arraySync()] as number[][][];
    const found = gradient.reshape(shape.slice(-2)).arraySync() as number[][];
    for (let k = 0; k < 5; k++)
      for (let n = 0; n < 6; n++) {
        const expected = rows!.reduce((sum, row, i) => sum + row[k]! * slopes![i]![n]!, 0);
        expect(transposed ? found[n]![k] : found[k]![n]).toBeCloseTo(expected, 4);
      }
  });
});
