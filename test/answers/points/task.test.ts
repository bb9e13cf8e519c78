import * as tf from '@tensorflow/tfjs-core';
import { rowOfPoints } from '../../../src/answers/points/layout.ts';
import { binsOf, decodedPoints, deviationOf, peakOf } from '../../../src/answers/points/simcc.ts';
import { points } from '../../../src/answers/points/task.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

const NAMES = ['tip', 'base'];
const SIZE = { width: 16, height: 8 };
const BINS = binsOf(SIZE);
const FORM = { skeleton: [], partners: [0, 1], sigmas: [0.05, 0.1], pck: [0.1, 0.5] };
const task = points({ classNames: NAMES, sampleShape: [8, 16, 3], points: FORM });

/** Answer whose largest logits are in these bins: x and y of each point. */
function answer(bins: readonly number[]): Float32Array {
  const out = new Float32Array(bins.length * BINS);
  bins.forEach((bin, i) => (out[i * BINS + bin] = 9));
  return out;
}

function row(places: readonly (readonly [number, number] | undefined)[]): Float32Array {
  const own = places.map((place) => (place === undefined ? { x: 0, y: 0, visibility: 0 } : { x: place[0], y: place[1], visibility: 2 })); // prettier-ignore
  return rowOfPoints({ width: 32, height: 16, area: 100 }, own, [0, 1]);
}

it('places are the middles of the most probable bins, and a score is 1 for the Gaussian of a label', () => {
  const middle = 10;
  const gaussian = Float32Array.from({ length: BINS }, (_, i) => -0.5 * ((i - middle) / deviationOf(BINS)) ** 2);
  const [x, y, score] = decodedPoints([...gaussian, ...gaussian], BINS);
  expect([x, y]).toEqual([(middle + 0.5) / BINS, (middle + 0.5) / BINS].map(Math.fround));
  expect(score).toBeCloseTo(1, 5);
  expect(decodedPoints(new Float32Array(2 * BINS), BINS)[2]).toBeCloseTo(1 / BINS / peakOf(BINS), 5);
});

it('the label loss is the divergence from Gaussians around the labels, and absent points weigh nothing', () => {
  const targets = tf.tensor2d([...row([[0.5, 0.25], undefined])], [1, task.targetWidth]);
  const goal = task.rows!.targets!(targets, targets);
  expect(goal.shape).toEqual([4, BINS]);
  const sums = tf.sum(goal, -1).dataSync();
  sums.forEach((sum) => expect(sum).toBeCloseTo(1, 5));
  const [deviation, first] = [deviationOf(BINS), goal.dataSync().subarray(0, BINS)];
  const heights = Array.from({ length: BINS }, (_, i) => Math.exp(-0.5 * ((i + 0.5 - 0.5 * BINS) / deviation) ** 2));
  const total = heights.reduce((sum, height) => sum + height, 0);
  heights.forEach((height, i) => expect(first[i]).toBeCloseTo(height / total, 5));
  // The logarithm of the goal itself is a perfect answer.
  const losses = task.loss(tf.log<tf.Tensor2D>(tf.maximum(goal, 1e-30)), goal, {}).dataSync();
  losses.forEach((loss) => expect(loss).toBeCloseTo(0, 4));
  const flat = task.loss(tf.zeros([4, BINS]), goal, {}).dataSync();
  const entropy = Array.from(first).reduce((sum, p) => sum + (p > 0 ? p * Math.log(p * BINS) : 0), 0);
  expect(flat[0]).toBeCloseTo(entropy, 4);
  expect(Array.from(task.rows!.weights(tf.tensor1d([3]), targets).dataSync())).toEqual([1.5, 1.5, 0, 0]);
  expect(Array.from(task.weightOf!(row([[0.5, 0.25], undefined])))).toEqual([0.5]);
});

it('the score counts labelled points within a share of the longer side, in training as in an evaluation', () => {
  const answers = answer([16, 8, 0, 0]);
  // The first point is off by 2 of 32 pixels, the second by 4.
  const targets = row([[16.5 / BINS + 2 / 32, 8.5 / BINS], [0.5 / BINS + 4 / 32, 0.5 / BINS]]); // prettier-ignore
  expect(task.scoreOf(answers, targets)).toBe(0.5);
  expect(task.scoreOf(answers, row([undefined, [0.5, 0.5]]))).toBe(0);
  const given = tf.tensor2d([...answers, ...answers], [2, task.width]);
  const there = tf.tensor2d([...targets, ...targets], [2, task.targetWidth]);
  const sums = task.sums(given, there, tf.tensor1d([0.5, 0]));
  const [right, all] = [sums['right']!.dataSync()[0]!, sums['all']!.dataSync()[0]!];
  expect([right, all, task.scoreOfSums({ right, all }, 1)]).toEqual([1, 2, 0.5]);
});

it('a description has shares within each distance, distances in pixels, and figures by point', () => {
  const targets = row([[16.5 / BINS + 2 / 32, 8.5 / BINS], undefined]); // prettier-ignore
  const { points: found } = task.describe(answer([16, 8, 0, 0]), targets);
  expect(found).toMatchObject({ there: 1, within: [{ distance: 0.1, share: 1 }, { distance: 0.5, share: 1 }] }); // prettier-ignore
  expect(found!.median).toBeCloseTo(2, 4);
  expect(found!.error).toBeCloseTo(2 / 32, 5);
  expect(found!.rows[1]).toMatchObject({ name: 'base', there: 0, within: [null, null], error: null });
  expect(task.labelText(targets, 0)).toBe('tip 19, 4; base absent');
});

it('labels made of answers are the places of the answers', () => {
  const answers = answer([3, 9, 20, 30]);
  expect(task.scoreOf(answers, task.asTargets(answers))).toBe(1);
});
