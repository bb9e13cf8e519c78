import { z } from 'zod';
import { belongs } from '../../recipe/rule.ts';
import type { AnswerKeys } from '../../recipe/rule.ts';
import { count, fraction } from '../../recipe/schema/parts.ts';
import { CHOSEN_SCORES } from '../../recipe/answer-forms.ts';

const name = 'classification';

/** Keys about the class of a sample. */
export const classesKeys = {
  name,
  tasks: ['classification'],
  keys: {
    dataset: {
      score: z
        .enum(CHOSEN_SCORES)
        .optional()
        .describe(
          'Classification: the score that epochs and students are chosen by, and limits and verdicts are given in: accuracy, area under the ROC curve, mean F1 of the classes, or -log of the probability of the true class. Default: accuracy.',
        ),
    },
    training: {
      labelSmoothing: z.number().min(0).lt(1).default(0).describe('Share of the label weight spread over all classes.'),
    },
    'distill.softTargets': {
      top: count
        .max(65_535)
        .optional()
        .describe(
          'Classification: the number of the largest logits that are stored of each answer; the other classes share the rest of the probability evenly. Default: all.',
        ),
    },
    teacher: {
      minAccuracy: fraction
        .optional()
        .describe('Stop before training if the teacher is worse than this on the labels; default: better than chance.'),
    },
    distill: {
      leaveOut: z
        .strictObject({
          classes: z
            .array(z.union([z.string().min(1), z.int().min(0).transform(String)]))
            .min(1)
            .describe('Names of the classes.'),
          correctBias: z
            .boolean()
            .default(true)
            .describe(
              'After training, raise the bias of these classes to the value with the highest validation accuracy.',
            ),
        })
        .optional()
        .describe('Classes known to the teacher whose samples are left out of the training of student and twin.'),
    },
  },
  rules: [
    {
      keys: ['teacher.minAccuracy', 'teacher.train', 'dataset.score'],
      when: (_least: number, training?: object, score = 'accuracy') => training !== undefined && score !== 'accuracy',
      because: (_least: number, _training: object, score: string) =>
        `no such key beside teacher.train and dataset.score: ${score}, by which the trained teacher is scored`,
      isSpare: true,
    },
  ],
  elsewhere: [
    {
      ...belongs(name, 'teacher.classes'),
      keys: ['teacher.classes', 'dataset.task', 'teacher.decoder'],
      // The points of a file may have another order too.
      when: (_classes: unknown, task: string, decoder?: unknown) =>
        task !== 'points' && (task !== 'detection' || decoder === undefined),
    },
    belongs(name, 'teacher.outputs', 'probabilities'),
    {
      ...belongs(name, 'distill.minConfidence'),
      keys: ['distill.minConfidence', 'dataset.task', 'dataset.nms', 'teacher.decoder', 'teacher.logits'],
      // Boxes of a detector are chosen by their scores.
      when: (_least: number, task: string, nms?: boolean, ...teaching: readonly unknown[]) =>
        task !== 'detection' || (nms !== false && teaching.every((given) => given === undefined)),
    },
  ],
} as const satisfies AnswerKeys;
