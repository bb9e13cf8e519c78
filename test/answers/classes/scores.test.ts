import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../../src/base/random.ts';
import { refuseUnscored } from '../../../src/answers/classes/scores.ts';
import { classFiguresOf } from '../../../src/answers/classes/figures.ts';
import { classification } from '../../../src/answers/classes/task.ts';
import { gainOf } from '../../../src/tasks/score.ts';
import type { Dataset } from '../../../src/data/dataset.ts';
import { useCpu } from '../../support/cpu.ts';

const CLASSES = 3;
const SAMPLES = 50;
const random = new RandomStream('scores');
const labels = Int32Array.from({ length: SAMPLES }, () => (random.uniform() < 0.7 ? 0 : 1 + random.below(2)));
// Rounded, so that some samples have equal answers.
const logits = Float32Array.from(
  { length: SAMPLES * CLASSES },
  (_, at) => Math.round(4 * random.normal() + (labels[Math.floor(at / CLASSES)] === at % CLASSES ? 4 : 0)) / 4,
);
const figures = classFiguresOf(logits, labels, CLASSES);
const wanted = { 'roc-auc': figures.auc!, 'macro-f1': figures.macroF1, 'log-loss': figures.logLoss } as const;

beforeAll(useCpu);

it.each(Object.entries(wanted))('%s is the figure of reports, of batches too', (name, figure) => {
  const task = classification(CLASSES, name as keyof typeof wanted);
  expect(task.scoreOf(logits, labels)).toBe(figure);
  const batches = [0, 20, 40].map((from) => ({
    logits: logits.subarray(from * CLASSES, (from + 20) * CLASSES),
    labels: labels.subarray(from, from + 20),
  }));
  if (task.collects !== undefined) {
    const kept = batches.flatMap((one) => Array.from(task.collects!.of(one.logits, one.labels)));
    expect(kept).toHaveLength(SAMPLES * task.collects.width);
    expect(task.collects.scoreOf(Float32Array.from(kept))).toBe(figure);
    expect(task.scoreOfSums({}, SAMPLES)).toBeUndefined();
  } else {
    const sums = batches.map((one) => {
      const outputs = tf.tensor2d(one.logits, [one.labels.length, CLASSES]);
      const targets = tf.oneHot(tf.tensor1d(one.labels, 'int32'), CLASSES, 1, 0, 'float32') as tf.Tensor2D;
      return task.sums(outputs, targets, tf.ones([one.labels.length]))['logLoss']!.dataSync()[0]!;
    });
    const logLoss = sums.reduce((sum, one) => sum + one);
    expect(task.scoreOfSums({ logLoss }, SAMPLES)).toBeCloseTo(figure, 5);
  }
});

it.each(Object.keys(wanted))('%s of these answers is better than that of a model that ignores the samples', (name) => {
  const { score, scoreOf, ignorance } = classification(CLASSES, name as keyof typeof wanted);
  expect(gainOf(score, scoreOf(logits, labels), ignorance(labels))).toBeGreaterThan(0.05);
  const most = Float32Array.from({ length: SAMPLES * CLASSES }, (_, at) => (at % CLASSES === 0 ? 1 : 0));
  if (name === 'macro-f1') expect(scoreOf(most, labels)).toBe(ignorance(labels));
  if (name === 'log-loss') expect(scoreOf(most.fill(0), labels)).toBeCloseTo(ignorance(labels), 6);
  if (name === 'roc-auc') expect(scoreOf(most, labels)).toBe(ignorance(labels));
});

it('a ROC AUC of samples of one class is refused before any training', () => {
  const split = { name: 'test', score: 'roc-auc', targets: Int32Array.of(1, 1) } as unknown as Dataset;
  expect(() => refuseUnscored([split, undefined])).toThrow(
    'dataset.score: roc-auc needs samples of at least two classes, received 2 samples of one class in the test split',
  );
  refuseUnscored([
    { ...split, score: 'log-loss' },
    { ...split, labelled: Uint8Array.of(0, 0) },
    { ...split, targets: Int32Array.of(0, 1) },
  ]);
  expect(() => classification(2, 'roc-auc').scoreOf(Float32Array.of(0, 1, 0, 1), Int32Array.of(1, 1))).toThrow(
    'received 2 samples of one class',
  );
});
