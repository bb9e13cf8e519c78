import * as tf from '@tensorflow/tfjs-core';
import { buildModel } from '../../../src/networks/models/registry.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

const END = 0;
const VOCABULARY = 11;

/** Logits [length, VOCABULARY] of ids. */
function logitsOf(name: string, ids: readonly number[], options: object = {}): number[][] {
  const model = buildModel(name, {
    inputShape: [ids.length],
    classes: VOCABULARY,
    seed: 3,
    tokens: { vocabulary: VOCABULARY, padding: END },
    options: { size: 8, ...options },
    answersPer: 'token',
  });
  const logits = model.apply(tf.tensor2d([...ids], [1, ids.length], 'int32')) as tf.Tensor3D;
  return tf.squeeze<tf.Tensor2D>(logits, [0]).arraySync();
}

const near = (own: readonly number[][], others: readonly number[][]): void =>
  own.flat().forEach((value, i) => expect(value).toBeCloseTo(others.flat()[i]!, 5));

describe.each([
  ['decoder', { heads: 2, depth: 2 }],
  ['decoder', { heads: 4, groups: 2, activation: 'gelu' }],
  ['gru-lm', { units: 6 }],
])('%s %o', (name, options) => {
  const logits = (ids: readonly number[]): number[][] => logitsOf(name, ids, options);

  it('sees no token behind a place', () => {
    const [own, other] = [logits([END, 3, 5, 7, 2]), logits([END, 3, 5, 1, 9])];
    expect(own.slice(0, 3)).toEqual(other.slice(0, 3));
    expect(own[3]).not.toEqual(other[3]);
  });

  it('sees the tokens before a place, in their order', () => {
    const [own, other] = [logits([END, 3, 5, 7, 2]), logits([END, 5, 3, 7, 2])];
    expect(own[4]!.some((value, i) => Math.abs(value - other[4]![i]!) > 1e-7)).toBe(true);
  });
});

it('decoder sees nothing of the text before the end of a text, wherever the next text stands', () => {
  const behind = logitsOf('decoder', [END, 3, 5, END, 7, 2, 4], { heads: 2 });
  const other = logitsOf('decoder', [END, 8, 9, END, 7, 2, 4], { heads: 2 });
  const first = logitsOf('decoder', [END, 7, 2, 4, 1, 1, 1], { heads: 2 });
  near(behind.slice(3), other.slice(3));
  near(behind.slice(3), first.slice(0, 4));
});

it('refuses heads and groups that do not fit', () => {
  expect(() => logitsOf('decoder', [1, 2], { heads: 3 })).toThrow(
    'model decoder: size 8 over heads 3 is not an even whole number',
  );
  expect(() => logitsOf('decoder', [1, 2], { heads: 4, groups: 3 })).toThrow(
    'model decoder: heads 4 are not a multiple of groups 3',
  );
});
