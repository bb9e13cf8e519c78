import path from 'node:path';
import { ROOT } from './built.ts';

/** The handwritten digits of `datasets/digits` as pictures, as a recipe has them: 1,437 to train on, 360 to test. */
export const DIGITS = {
  type: 'csv',
  train: path.join(ROOT, 'datasets/digits/train.csv'),
  test: path.join(ROOT, 'datasets/digits/test.csv'),
  label: 'digit',
  shape: [8, 8, 1],
  normalize: { mean: 0, std: 16 },
};

/**
 * Keys of a recipe that is about something else than speed. Threads that wait for each other cost more than they give
 * nets this small, and the test beside this one wants the other core.
 */
export const QUICK = { threads: 1, report: { latency: { seconds: 0 } } };

/** A recipe of a teacher, a student and its twin, each trained in a second. */
export const SHORT_RUN = {
  name: 'r',
  dataset: DIGITS,
  teacher: { train: { model: 'mlp', hidden: [32], epochs: 2, batchSize: 128 } },
  student: { model: 'mlp', hidden: [8] },
  distill: { epochs: 2, batchSize: 128 },
  ...QUICK,
};
