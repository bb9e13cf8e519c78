import * as tf from '@tensorflow/tfjs-core';
import { NO_TAG } from '../../../src/answers/tags/labels.ts';
import { bordersOf, countsByType, entitiesOf, f1OfCounts, total } from '../../../src/answers/tags/entities.ts';
import { tagging } from '../../../src/answers/tags/task.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

const TAGS = ['B-LOC', 'B-PER', 'I-LOC', 'I-PER', 'O'];
const IOBES = ['B-LOC', 'E-LOC', 'I-LOC', 'S-LOC', 'S-PER', 'O'];
const ids = (names: readonly string[], text: string): number[] => text.split(' ').map((tag) => names.indexOf(tag));

describe('entitiesOf', () => {
  // Each as seqeval.metrics.sequence_labeling.get_entities 1.2.2 gives it.
  it.each<[string, readonly string[], string, string]>([
    ['IOB2', TAGS, 'B-PER I-PER O B-LOC B-LOC', 'PER 0 1, LOC 3 3, LOC 4 4'],
    ['IOB1, where I begins an entity', TAGS, 'I-PER I-PER B-PER O I-LOC', 'PER 0 1, PER 2 2, LOC 4 4'],
    ['a change of type inside', TAGS, 'B-PER I-LOC I-LOC', 'PER 0 0, LOC 1 2'],
    ['IOBES', IOBES, 'B-LOC I-LOC E-LOC S-LOC O S-PER', 'LOC 0 2, LOC 3 3, PER 5 5'],
    ['IOBES that is broken', IOBES, 'E-LOC E-LOC I-LOC O I-LOC', 'LOC 0 0, LOC 1 1, LOC 2 2, LOC 4 4'],
    ['letters without a type', ['B', 'I', 'O'], 'B I O I', '_ 0 1, _ 3 3'],
    ['plain tags', ['NOUN', 'VERB'], 'NOUN NOUN VERB', 'NOUN 0 0, NOUN 1 1, VERB 2 2'],
  ])('reads %s', (_, names, text, expected) => {
    const found = entitiesOf(ids(names, text), bordersOf(names));
    expect(found.map(({ type, from, to }) => `${type} ${from} ${to}`).join(', ')).toBe(expected);
  });
});

/** Logits that give these tags, [length · tags]; positions of words are every other token of 12. */
const LENGTH = 12;
const task = tagging(TAGS, LENGTH);

function rowOf(tags: readonly number[]): { targets: number[]; logits: number[] } {
  const targets = new Array<number>(LENGTH).fill(NO_TAG);
  // A strong answer that must not count where there is no tag.
  const logits = Array.from({ length: LENGTH }, () => [0, 9, 0, 0, 0]);
  tags.forEach((tag, i) => {
    targets[2 * i + 1] = tag;
    logits[2 * i + 1] = TAGS.map((_, c) => (c === tag ? 3 : 0));
  });
  return { targets, logits: logits.flat() };
}

const SENTENCES = [
  ['B-PER I-PER O B-LOC O', 'B-PER I-PER O B-LOC I-LOC'],
  ['I-PER I-PER B-PER O I-LOC', 'B-PER I-PER I-PER O I-LOC'],
  ['O O O', 'O I-PER I-LOC'],
  ['B-LOC B-LOC', 'B-LOC B-LOC'],
].map(([truth, given]) => ({ truth: ids(TAGS, truth!), given: ids(TAGS, given!) }));
const TARGETS = Int32Array.from(SENTENCES.flatMap(({ truth }) => rowOf(truth).targets));
const ANSWERS = Float32Array.from(SENTENCES.flatMap(({ given }) => rowOf(given).logits));
const table = (values: ArrayLike<number>): tf.Tensor2D =>
  tf.tensor2d(Float32Array.from(values), [4, values.length / 4]);
const targets = (): tf.Tensor2D => task.targets({ labels: tf.tensor2d(TARGETS, [4, LENGTH], 'int32') }, 'none');

describe('tagging', () => {
  it('counts entities of words, and nothing of other tokens', () => {
    const { entities } = task.describe(ANSWERS, TARGETS);
    // True: 2 + 3 + 0 + 2. Given: 2 + 2 + 2 + 2. Right: 1 + 1 (LOC at the end) + 0 + 2.
    const counts = total(countsByType(SENTENCES, bordersOf(TAGS)).values());
    expect(counts).toEqual({ there: 7, given: 8, right: 4 });
    expect(entities).toMatchObject({ words: 15, rightWords: 10 / 15, precision: 4 / 8, recall: 4 / 7 });
    expect(task.scoreOf(ANSWERS, TARGETS)).toBeCloseTo(8 / 15, 12);
    expect(f1OfCounts({ there: 0, given: 0, right: 0 })).toBe(0);
  });

  it('has the same counts inside a graph, without the samples that weigh nothing', () => {
    const sumsOf = (weights: number[]) =>
      Object.fromEntries(
        Object.entries(task.sums(table(ANSWERS), targets(), tf.tensor1d(weights))).map(([name, sum]) => [
          name,
          sum.dataSync()[0]!,
        ]),
      );
    expect(sumsOf([5, 5, 3, 2])).toEqual({ there: 7, given: 8, right: 4 });
    expect(sumsOf([5, 0, 3, 2])).toEqual({ there: 4, given: 6, right: 3 });
    expect(task.scoreOfSums(sumsOf([5, 5, 3, 2]), 15)).toBeCloseTo(8 / 15, 12);
  });

  it('has a row for each token; those without a tag weigh nothing, and words of all sentences the same', () => {
    expect([...task.weightOf!(TARGETS)]).toEqual([5, 5, 3, 2]);
    const { of, weights } = task.rows!;
    const own = weights(tf.tensor1d([5, 5, 3, 2]), targets()).dataSync();
    expect([...own]).toEqual(Array.from(TARGETS, (tag) => (tag === NO_TAG ? 0 : 1)));
    expect([
      ...weights(tf.tensor1d([5, 0, 6, 2]), targets())
        .dataSync()
        .subarray(LENGTH, 3 * LENGTH),
    ]).toEqual(Array.from(TARGETS.subarray(LENGTH, 3 * LENGTH), (tag, i) => (tag === NO_TAG || i < LENGTH ? 0 : 2)));
    const [right, all] = [Math.log(Math.exp(3) + 4) - 3, of(table(ANSWERS))];
    const loss = task.loss(all, of(targets()), {}).dataSync();
    const words = SENTENCES.flatMap(({ truth, given }) => truth.map((tag, i) => right + (tag === given[i] ? 0 : 3)));
    expect([...loss.filter((_, i) => own[i] === 1)]).toEqual(words.map((value) => expect.closeTo(value, 5) as number));
    const apart = (from: Float32Array) =>
      task.divergence!(all, of(table(from)), tf.scalar(2))
        .dataSync()
        .filter((_, i) => own[i] === 1);
    expect(Math.min(...apart(ANSWERS.map((value) => 0.5 * value)))).toBeGreaterThan(0.01);
    // Answers that differ at tokens without a tag alone do not differ.
    const other = ANSWERS.map((value, at) => (TARGETS[Math.floor(at / TAGS.length)] === NO_TAG ? -value : value));
    expect(Math.max(...apart(other))).toBe(0);
    expect([...task.disagreement(ANSWERS, other, TARGETS)]).toEqual([0, 0, 0, 0]);
    expect(task.beside(ANSWERS, other, TARGETS)).toEqual({ distance: 0 });
  });

  it('takes a teacher for skilled that is right about its own sentences, and not one that ends in a softmax', () => {
    const many = (rows: (i: number) => readonly number[]) => Array.from({ length: 40 }, (_, i) => rowOf(rows(i)));
    const truth = many((i) => ids(TAGS, ['B-PER I-PER O', 'O O B-LOC', 'O B-PER O', 'B-LOC O O'][i % 4]!));
    const same = Int32Array.from(truth.flatMap((row) => row.targets));
    const logits = Float32Array.from(truth.flatMap((row) => row.logits));
    expect(task.skill(logits, same)).toMatchObject({ score: 1, isBetter: true });
    const constant = Float32Array.from(many(() => ids(TAGS, 'B-PER O O')).flatMap((row) => row.logits));
    expect(task.skill(constant, same).isBetter).toBe(false);
    const soft = tf.softmax(tf.tensor2d(logits, [logits.length / 5, 5])).dataSync() as Float32Array;
    expect(task.skill(soft, same)).toMatchObject({
      isBetter: false,
      chance: expect.stringContaining('probabilities') as string,
    });
    expect(task.stuck('x', constant, same)).toBeUndefined();
    const none = Float32Array.from(many(() => ids(TAGS, 'O O O')).flatMap((row) => row.logits));
    expect(task.stuck('x', none, same)).toContain('answers O to 100.0 %');
  });
});
