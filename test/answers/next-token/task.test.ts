// Needs the feature next-token.
import * as tf from '@tensorflow/tfjs-core';
import { NO_TOKEN } from '../../../src/answers/next-token/pack.ts';
import { nextToken } from '../../../src/answers/next-token/task.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

const NAMES = ['end', 'a', 'b', 'c'];
const task = nextToken(NAMES, 3);

/** Two sequences of three places; the last place of the second is behind all texts. Then bytes and words. */
const TARGETS = Int32Array.of(1, 2, 0, 4, 2, 3, 1, NO_TOKEN, 2, 1);

/** Logits of probabilities, at each place. */
const PROBABILITIES = [
  [0.1, 0.5, 0.2, 0.2],
  [0.25, 0.25, 0.25, 0.25],
  [0.125, 0.5, 0.25, 0.125],
  [0.4, 0.1, 0.25, 0.25],
  [0.2, 0.5, 0.2, 0.1],
  // A strong answer where none is asked for.
  [0.97, 0.01, 0.01, 0.01],
];
const ANSWERS = Float32Array.from(PROBABILITIES.flat(), (share) => Math.log(share) + 3);

/** Bits of the five known tokens: 1, 2, 3, 2, 1. */
const BITS = 9;
const targets = (): tf.Tensor2D => task.targets({ labels: tf.tensor2d(TARGETS, [2, 5], 'int32') }, 'none');
const answers = (): tf.Tensor2D => tf.tensor2d(ANSWERS, [2, 12]);

it('is scored in bits per byte of the text, in a graph and at once', () => {
  expect(task.scoreOf(ANSWERS, TARGETS)).toBeCloseTo(BITS / 6, 6);
  const sums = task.sums(answers(), targets(), tf.tensor1d([1, 1]));
  const of = Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum.dataSync()[0]!]));
  expect(of['bits']).toBeCloseTo(BITS, 5);
  expect(of['bytes']).toBe(6);
  expect(task.scoreOfSums(of, 2)).toBeCloseTo(BITS / 6, 6);
});

it('leaves samples out that only fill a batch', () => {
  const sums = task.sums(answers(), targets(), tf.tensor1d([3, 0]));
  expect(sums['bits']!.dataSync()[0]).toBeCloseTo(6, 5);
  expect(sums['bytes']!.dataSync()[0]).toBe(4);
});

it('says perplexities, and shares of tokens among the first guesses, the lower id first of equal ones', () => {
  const { nextTokens } = task.describe(ANSWERS, TARGETS);
  expect(nextTokens).toMatchObject({ tokens: 5, bytes: 6, words: 3 });
  expect(nextTokens!.perplexity).toBeCloseTo(2 ** (9 / 5), 5);
  expect(nextTokens!.wordPerplexity).toBeCloseTo(2 ** 3, 5);
  // Places of the true tokens: 1, 3 of four equal ones, 3 of 0.125 twice, 3, 1.
  expect(nextTokens!.within).toEqual([
    { guesses: 1, share: 0.4 },
    { guesses: 3, share: 1 },
    { guesses: 5, share: 1 },
  ]);
});

it('weighs all known tokens the same, whatever the sequence', () => {
  expect([...task.weightOf!(TARGETS)]).toEqual([3, 2]);
  const weights = task.rows!.weights(tf.tensor1d([3, 2]), targets());
  expect([...weights.dataSync()]).toEqual([1, 1, 1, 1, 1, 0]);
  const rows = task.loss(task.rows!.of(answers()), task.rows!.targets!(targets(), answers()), {});
  expect(tf.sum(tf.mul(rows, weights)).dataSync()[0]! / Math.LN2).toBeCloseTo(BITS, 5);
});

it('names the last token that is asked for, and its most probable answer', () => {
  expect([0, 1].map((row) => task.labelText(TARGETS, row))).toEqual(['end', 'a']);
  expect([0, 1].map((row) => task.textOf(ANSWERS, row, TARGETS))).toEqual(['a (50.0 %)', 'a (50.0 %)']);
});

it('compares with the frequencies of the tokens alone', () => {
  // a twice of five, the others once: 2 · log2(5 / 2) + 3 · log2(5) bits.
  const bits = 2 * Math.log2(2.5) + 3 * Math.log2(5);
  expect(task.ignorance(TARGETS)).toBeCloseTo(bits / 6, 6);
  expect(task.skill(ANSWERS, TARGETS).chance).toContain('the frequencies of the tokens alone give');
});

it('refuses ids that the model does not have', () => {
  expect(() => task.fed(Int32Array.of(1, 4, 0, 1, 1), 'train', undefined)).toThrow(
    'train: place 1 of sequence 0 has the token 4, and the model has the tokens 0 … 3',
  );
});
