import * as tf from '@tensorflow/tfjs-core';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { interpretRules } from '../../src/trace/interpret/interpret.ts';
import { useLazyBackend } from '../../src/trace/use.ts';

beforeAll(() => useLazyBackend(evaluator));

const [HEIGHT, WIDTH] = [6, 7];
const attrs = { filterSize: [2, 3], strides: [2, 1], dilations: [3, 2], pads: [1, 0, 0, 2] };

/** What each window sees of one picture of one channel, without its padding; out of tfjs' hands. */
function windows(picture: readonly number[]): number[][] {
  const starts = (size: number, [before, after]: readonly number[], i: number): number[] => {
    const last = size + before! + after! - (attrs.filterSize[i]! - 1) * attrs.dilations[i]! - 1;
    return Array.from({ length: Math.floor(last / attrs.strides[i]!) + 1 }, (_, w) => w * attrs.strides[i]! - before!);
  };
  const places = (start: number, size: number, i: number): number[] =>
    Array.from({ length: attrs.filterSize[i]! }, (_, k) => start + k * attrs.dilations[i]!).filter((at) => at >= 0 && at < size); // prettier-ignore
  return starts(HEIGHT, [1, 0], 0).flatMap((top) =>
    starts(WIDTH, [0, 2], 1).map((left) =>
      places(top, HEIGHT, 0).flatMap((row) => places(left, WIDTH, 1).map((column) => picture[row * WIDTH + column]!)),
    ),
  );
}

it('a pool with dilation takes the largest of what its windows see, and has a gradient', () => {
  const of = (seen: readonly number[]): number => Math.max(...seen);
  const picture = Array.from({ length: HEIGHT * WIDTH }, (_, i) => Math.sin(1 + i * i));
  const pooled = (x: tf.Tensor): tf.Tensor => [interpretRules.MaxPool!([x], attrs)].flat()[0]!;
  const x = tf.tensor4d(picture, [1, HEIGHT, WIDTH, 1]);
  const expected = windows(picture).map(of);
  [...pooled(x).dataSync()].forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5));
  expect(pooled(x).size).toBe(expected.length);
  const gradient = tf
    .grad((value) => tf.sum(pooled(value)))(x)
    .dataSync<'float32'>();
  const moved = picture.map((value, i) => value + 1e-3 * Math.cos(i));
  const [before, after] = [picture, moved].map((one) => windows(one).reduce((sum, seen) => sum + of(seen), 0));
  const slope = gradient.reduce((sum, value, i) => sum + value * 1e-3 * Math.cos(i), 0);
  expect(slope).toBeCloseTo(after! - before!, 5);
});

it.each([
  [[0, 0, 0, 0], false],
  [[0, 0, 0, 1], true],
])('the largest are taken from a picture that is padded only where there are pads: %j', async (pads, isPadded) => {
  const x = tf.ones([1, HEIGHT, WIDTH, 1]);
  const { kernelNames } = await tf.profile(() => [interpretRules.MaxPool!([x], { ...attrs, pads })].flat()[0]!);
  expect(kernelNames.includes('PadV2')).toBe(isPadded);
});
