import * as tf from '@tensorflow/tfjs-core';
import { bool, expectClose, expectSame, f32, i32, runOp, values } from './harness.ts';
import type { Operand } from './harness.ts';

beforeAll(() => tf.setBackend('cpu'));

type Reduction = (t: tf.Tensor, axes: number[], keepDims: boolean) => tf.Tensor;
const reductions: [string, Reduction, Operand[]][] = [
  ['Sum', tf.sum, [f32([2, 3, 4]), i32([2, 3], [1, -2, 3, -4, 5, 6])]],
  ['Mean', tf.mean, [f32([2, 3, 4])]],
  ['Max', tf.max, [f32([2, 3, 4]), i32([2, 3], [1, -2, 3, -4, 5, 6]), f32([2, 2], [1, NaN, -Infinity, 2])]],
  ['Min', tf.min, [f32([2, 3, 4]), i32([2, 3], [1, -2, 3, -4, 5, 6]), f32([2, 2], [NaN, 1, Infinity, 2])]],
  ['Prod', tf.prod, [f32([2, 3, 4]), i32([2, 3], [1, -2, 3, -4, 5, 6])]],
  ['All', tf.all, [bool([2, 3], [1, 1, 1, 0, 1, 1])]],
  ['Any', tf.any, [bool([2, 3], [0, 0, 0, 0, 1, 0])]],
  ['LogSumExp', tf.logSumExp, [f32([2, 3, 4]), f32([1, 2], [1000, 1001]), f32([2, 2], [-1000, -1001, 3, -Infinity])]],
];

const cases = reductions.flatMap(([op, reference, operands]) =>
  operands.flatMap((operand) =>
    subsets(operand.shape.length).flatMap((axes) =>
      [false, true].map(
        (keepDims) =>
          [
            `${op} ${operand.dtype} [${operand.shape.join()}] over [${axes.join()}], keepDims ${keepDims}`,
            op,
            reference,
            operand,
            axes,
            keepDims,
          ] as const,
      ),
    ),
  ),
);

function subsets(rank: number): number[][] {
  return Array.from({ length: 2 ** rank }, (_, bits) =>
    Array.from({ length: rank }, (_, i) => i).filter((i) => (bits >> i) & 1),
  );
}

describe('reductions', () => {
  it.each(cases)('%s', (_, op, reference, operand, axes, keepDims) => {
    if (axes.length === 0) expectClose(runOp(op, [operand], { axes, keepDims })[0]!, operand.data);
    else expectSame(op, [operand], { axes, keepDims }, (t) => reference(t, [...axes], keepDims));
  });

  it('over no elements give their neutral element', () => {
    const empty = f32([2, 0], []);
    const over = { axes: [1], keepDims: false };
    expect([...runOp('Sum', [empty], over)[0]!]).toEqual([0, 0]);
    expect([...runOp('Prod', [empty], over)[0]!]).toEqual([1, 1]);
    expect([...runOp('Max', [empty], over)[0]!]).toEqual([-Infinity, -Infinity]);
    expect([...runOp('Mean', [empty], over)[0]!]).toEqual([NaN, NaN]);
  });
});

describe('ArgMax and ArgMin', () => {
  const ties = f32([2, 4], [1, 3, 3, 2, -1, -1, -2, -2]);
  it.each([0, 1])('take the first of equals, axis %i', (axis) => {
    expectSame('ArgMax', [ties], { axis }, (t) => tf.argMax(t, axis));
    expectSame('ArgMin', [ties], { axis }, (t) => tf.argMin(t, axis));
  });

  it('over integers and inner axes', () => {
    const x = i32([2, 3, 2], [5, 1, 5, 7, 2, 7, 0, 0, -1, 4, 3, 3]);
    for (const axis of [0, 1, 2]) expectSame('ArgMax', [x], { axis }, (t) => tf.argMax(t, axis));
    expectSame('ArgMax', [bool([3], [0, 1, 1])], { axis: 0 }, (t) => tf.argMax(tf.cast(t, 'int32'), 0));
  });
});

describe('cumulative ops', () => {
  const shapes = [f32([5]), f32([2, 7]), f32([2, 3, 4]), i32([4], [1, 2, -3, 4]), f32([3, 1])];
  const grid = shapes.flatMap((x) =>
    x.shape.flatMap((_, axis) => [0, 1, 2, 3].map((bits) => [x, axis, (bits & 1) > 0, (bits & 2) > 0] as const)),
  );
  it.each(grid)('Cumsum and Cumprod %#', (x, axis, exclusive, reverse) => {
    const attrs = { axis, exclusive, reverse };
    expectSame('Cumsum', [x], attrs, (t) => tf.cumsum(t, axis, exclusive, reverse));
    expectSame('Cumprod', [x], attrs, (t) => tf.cumprod(t, axis, exclusive, reverse));
  });

  it('Cumprod carries zeros', () => {
    const x = f32([5], [2, 3, 0, 4, 5]);
    expect([...runOp('Cumprod', [x], { axis: 0, exclusive: false, reverse: false })[0]!]).toEqual([2, 6, 0, 0, 0]);
  });
});

describe('TopK', () => {
  it('gives values and indices, largest first, the first of equals first', () => {
    const x = f32([2, 5], [1, 4, 4, 2, 0, -1, -3, -1, 5, 5]);
    const { values: expected, indices } = tf.topk(tf.tensor2d(x.data as Float32Array, [2, 5]), 3);
    const [top, at] = runOp('TopK', [x], { k: 3 });
    expectClose(top!, expected.dataSync());
    expectClose(at!, indices.dataSync());
  });
});

describe('softmax', () => {
  it.each([
    [[3, 5], 1],
    [[2, 3, 4], 2],
    [[2, 2, 3, 4], 3],
  ] as const)('of %j', (shape, axis) => {
    const x = f32(
      shape,
      values(
        [...shape].reduce<number>((a, b) => a * b, 1),
        9,
        -30,
        30,
      ),
    );
    expectSame('Softmax', [x], { axis }, (t) => tf.softmax(t, axis));
    expectSame('LogSoftmax', [x], { axis }, (t) => tf.logSoftmax(t, axis));
  });
});
