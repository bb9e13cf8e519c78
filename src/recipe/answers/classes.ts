import { z } from 'zod';
import { belongs } from '../rule.ts';
import type { AnswerKeys } from '../rule.ts';
import { count, fraction } from '../schema/parts.ts';

const name = 'classification';

/** Keys about the class of a sample. */
export const classesKeys = {
  name,
  tasks: ['classification'],
  keys: {
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
  rules: [],
  elsewhere: [
    {
      ...belongs(name, 'teacher.classes'),
      keys: ['teacher.classes', 'dataset.task', 'teacher.decoder'],
      when: (_classes: unknown, task: string, decoder?: unknown) => task !== 'detection' || decoder === undefined,
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
