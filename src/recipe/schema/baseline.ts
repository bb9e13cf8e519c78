import { z } from 'zod';
import { beside, without } from '../rule.ts';
import type { KeyRule } from '../rule.ts';
import { NEEDS_PEER } from './loss.ts';
import { optimizerSchema } from './training.ts';

export const baselineSchema = z
  .union([
    z.boolean(),
    z.strictObject({
      optimizer: optimizerSchema.describe(
        'Optimizer and learning-rate schedule of the twin, instead of those of `distill`.',
      ),
    }),
  ])
  .default(true)
  .describe('Train the same student without the teacher too, its twin, to compare.');

/** Reasons why an optimizer of a twin is not read: there is none. */
export const baselineRules: readonly KeyRule[] = [
  {
    ...beside('baseline.optimizer', 'target', 'a recipe without target, whose candidates have no twin'),
    received: 'target',
  },
  without('baseline.optimizer', 'student', 'a student, whose twin it is for', 'none'),
  {
    keys: ['baseline.optimizer', 'distill.epochs'],
    when: (_optimizer: object, epochs: number) => epochs === 0,
    because: 'a student that is trained',
    received: 'distill.epochs: 0',
  },
  {
    keys: ['baseline.optimizer', 'teacher', 'distill.loss'],
    when: (_optimizer: object, teacher: object | undefined, loss: string) =>
      teacher === undefined && !NEEDS_PEER.has(loss),
    because: 'a teacher, without which there is no twin',
    received: 'none',
  },
  {
    keys: ['baseline.optimizer', 'dataset.labelled'],
    when: (_optimizer: object, labelled?: number) => labelled === 0,
    because: 'labels, which the twin learns from',
    received: 'dataset.labelled: 0',
  },
];
