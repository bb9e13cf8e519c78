import * as tf from '@tensorflow/tfjs-core';
import { averagePrecision, bestThreshold, f1Of, rankingOf } from '../../../src/answers/labels/figures.ts';
import { multiLabel } from '../../../src/answers/labels/task.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

/** Three labels, four samples; nobody has the third. */
const LABELS = Int32Array.of(1, 0, 0, 0, 1, 0, 1, 1, 0, 0, 0, 0);
const ANSWERS = Float32Array.of(2, -1, -3, 1, 0.5, -2, 0.5, -0.5, -4, -1, -2, -1);
const task = multiLabel(['a', 'b', 'c']);
const rows = (values: ArrayLike<number>): tf.Tensor2D => tf.tensor2d(Float32Array.from(values), [4, 3]);

describe('multi-label', () => {
  it('says average precision and F1 of each label', () => {
    const { labels } = task.describe(ANSWERS, LABELS, { answers: ANSWERS, targets: LABELS });
    const [a, b, c] = labels!.rows;
    // a: ranked 1, 0, 1, 0: precisions 1 and 2/3. b: ranked 1, 1 (at -0.5), 0, 0.
    expect(a).toMatchObject({ samples: 2, f1: 0.8 });
    expect(a!.averagePrecision).toBeCloseTo((1 + 2 / 3) / 2, 12);
    expect(b).toMatchObject({ samples: 2, averagePrecision: 1, f1AtThreshold: 1 });
    expect(b!.f1).toBeCloseTo(2 / 3, 12);
    // Halfway between -0.5 and -1.
    expect(b!.threshold).toBeCloseTo(1 / (1 + Math.exp(0.75)), 12);
    expect(c).toMatchObject({ name: 'c', samples: 0, averagePrecision: null, f1: null });
    expect(c).not.toHaveProperty('threshold');
    expect(labels!.meanAveragePrecision).toBeCloseTo((5 / 6 + 1) / 2, 12);
    expect(labels!.rightDecisions).toBeCloseTo(10 / 12, 12);
  });

  it('takes equal answers at once', () => {
    // scikit-learn: average_precision_score([1, 0, 0, 1], [1, 1, 0, 0]) = 0.5, roc_auc_score = 0.5
    expect(averagePrecision([1, 1, 0, 0], [1, 0, 0, 1])).toBe(0.5);
    // A share of 1 to the last bit: report.json takes none above.
    const ranks = Array.from({ length: 20 }, (_, i) => -i);
    for (let n = 1; n < 20; n++)
      expect(
        averagePrecision(
          ranks,
          ranks.map((rank) => Number(rank > -n)),
        ),
      ).toBe(1);
    expect(rankingOf([1, 1, 0, 0], [1, 0, 0, 1])!.area).toBe(0.5);
    expect(rankingOf([4, 3, 2, 1], [1, 1, 0, 0])!.area).toBe(1);
    expect(rankingOf([4, 3, 2, 1], [0, 1, 0, 1])!.area).toBe(0.25);
    expect(rankingOf([1, 2], [1, 1])).toBeUndefined();
  });

  it('chooses a threshold that gives the best F1, or all samples the label', () => {
    expect(bestThreshold([3, 1, 2], [0, 1, 1])).toBe(0);
    expect(f1Of([3, 1, 2], [0, 1, 1], 0)).toBe(0.8);
    expect(bestThreshold([3, 1], [0, 0])).toBeUndefined();
  });

  it('has the score of the sums that a step gives, weights of samples included', () => {
    const sumsOf = (weights: number[]) =>
      Object.fromEntries(
        Object.entries(task.sums(rows(ANSWERS), rows(LABELS), tf.tensor1d(weights))).map(([name, sum]) => [
          name,
          sum.dataSync()[0]!,
        ]),
      );
    const score = task.scoreOf(ANSWERS, LABELS);
    expect(score).toBeCloseTo((0.8 + 2 / 3) / 2, 12);
    expect(task.scoreOfSums(sumsOf([1, 1, 1, 1]), 4)).toBeCloseTo(score, 6);
    // Samples that only fill up a batch count nothing: 1 of a without its wrong answer, b as it was.
    expect(task.scoreOfSums(sumsOf([1, 0, 1, 1]), 3)).toBeCloseTo(0.5, 6);
  });

  it('has the cross-entropy of each label, and none of it grows without bounds', () => {
    const loss = task.loss(rows(ANSWERS), rows(LABELS), {}).dataSync();
    const one = (logit: number, label: number) => -Math.log(1 / (1 + Math.exp(label === 1 ? -logit : logit)));
    loss.forEach((value, i) => {
      const all = [0, 1, 2].map((c) => one(ANSWERS[3 * i + c]!, LABELS[3 * i + c]!));
      expect(value).toBeCloseTo((all[0]! + all[1]! + all[2]!) / 3, 5);
    });
    const far = multiLabel(['a']).loss(tf.tensor2d([[500], [-500]]), tf.tensor2d([[0], [0]]), {});
    expect([...far.dataSync()]).toEqual([500, 0]);
  });

  it('has the divergence of two answers label by label, at a temperature', () => {
    const [t, s, temperature] = [1.5, -0.5, 2];
    const found = multiLabel(['a']).divergence!(tf.tensor2d([[t]]), tf.tensor2d([[s]]), tf.scalar(temperature));
    const [p, q] = [t, s].map((logit) => 1 / (1 + Math.exp(-logit / temperature)));
    const expected = p! * Math.log(p! / q!) + (1 - p!) * Math.log((1 - p!) / (1 - q!));
    expect(found.dataSync()[0]).toBeCloseTo(expected, 6);
    const same = task.divergence!(rows(ANSWERS), rows(ANSWERS), tf.scalar(4));
    expect(same.dataSync()[0]).toBeCloseTo(0, 6);
  });

  it('mixes labels as mixup does', () => {
    const mix = { partners: Int32Array.of(1, 0, 2, 3), lambda: Float32Array.of(0.75, 0.5, 1, 1) };
    const values = task.mixedValues(LABELS, mix);
    expect([...values.slice(0, 6)]).toEqual([0.75, 0.25, 0, 0.5, 0.5, 0]);
    const feeds = {
      targets: rows(LABELS),
      partners: tf.tensor1d(mix.partners, 'int32'),
      lambda: tf.tensor1d(mix.lambda),
    };
    expect([...task.targets(feeds, 'partners').dataSync()]).toEqual([...values]);
  });

  it('refuses a target that is neither 0 nor 1', () => {
    expect(() => task.fed(Int32Array.of(0, 2, 0), 'step 3')).toThrow(
      'step 3: the label b of sample 0 is 2, expected 0 or 1',
    );
  });

  it('sees a teacher that knows nothing, and one whose answers never change', () => {
    const two = multiLabel(['a', 'b']);
    const labels = Int32Array.from({ length: 200 }, (_, i) => (i % 3 === 0 ? 1 : 0));
    const known = Float32Array.from(labels, (label, i) => label - 2 + (i % 7) / 10);
    const blind = Float32Array.from(labels, (_, i) => Math.sin(i));
    // Known labels are told apart, though none is given at 0.5.
    expect(two.skill(known, labels)).toMatchObject({ score: 0, isBetter: true });
    expect(two.skill(blind, labels).isBetter).toBe(false);
    expect(two.stuck('x', known, labels)).toBeUndefined();
    expect(two.stuck('x', new Float32Array(200), labels)).toContain('x: answers nearly the same for a to all of 100');
    // The answers of a file that ends in a sigmoid are no logits.
    const shares = known.map((logit) => 1 / (1 + Math.exp(-logit)));
    expect(two.skill(shares, labels)).toMatchObject({
      isBetter: false,
      chance: expect.stringContaining('between 0 and 1') as string,
    });
    expect(two.stuck('x', shares, labels)).toContain('x: all of its answers lie between 0 and 1');
    expect(
      two.isWorse(
        blind,
        Float32Array.from(labels, (label) => label - 0.5),
        labels,
      ),
    ).toBe(true);
    expect(two.isWorse(known, known, labels)).toBe(false);
  });

  it('without any knowledge scores what giving each label to all scores where most have it, and to none elsewhere', () => {
    // a: 3 of 4 have it, 2 · 3 / (4 + 3); b: 1 of 4, nobody gets it: 0; c: nobody has it, no F1.
    const labels = Int32Array.of(1, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0);
    expect(task.ignorance(labels)).toBeCloseTo((6 / 7 + 0) / 2, 12);
  });

  it('a teacher that ranks samples a little better than chance is not yet better', () => {
    const one = multiLabel(['a']);
    const labels = Int32Array.from({ length: 40 }, (_, i) => i % 2);
    // Each is ranked by its place, so that those with the label lie one place higher: an area of 0.525.
    const ranked = Float32Array.from({ length: 40 }, (_, i) => i);
    expect(one.skill(ranked, labels)).toMatchObject({
      isBetter: false,
      chance: 'it ranks a sample with a label before one without in 52.5 % of the cases, at random in 50.0 %',
    });
    expect(
      one.skill(
        ranked.map((place, i) => place + 40 * labels[i]!),
        labels,
      ).isBetter,
    ).toBe(true);
  });
});
