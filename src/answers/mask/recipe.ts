import { z } from 'zod';
import { dataType } from '../../recipe/data-types.ts';
import type { AnswerKeys } from '../../recipe/rule.ts';
import { count } from '../../recipe/schema/parts.ts';

/** Keys about the class of each pixel. */
export const maskKeys = {
  name: 'segmentation',
  tasks: ['segmentation'],
  keys: {
    dataset: {
      stride: count
        .optional()
        .describe(
          'Segmentation: pixels from an answer of a model to the next one, in height and width; masks of answers are resized to full size. Default: 8.',
        ),
    },
    training: {
      dice: z
        .number()
        .gt(0)
        .optional()
        .describe(
          'Segmentation: weight of the soft Dice loss over the batch, which is added to the label loss; default: none.',
        ),
    },
  },
  rules: [
    {
      keys: ['training.microBatch', 'training.dice'],
      when: (_size: number, dice?: number) => dice !== undefined,
      because: 'none beside dice, whose sums run over the whole batch',
    },
    {
      keys: ['training.dice', 'shards'],
      when: (_weight: number, shards?: number) => shards !== undefined,
      because: 'none beside shards: its sums run over the whole batch',
    },
    {
      keys: ['dataset.fit', 'dataset.type'],
      when: (fit: string, type: string) => type === 'coco' && fit === 'letterbox',
      because: 'stretch for segmentation, whose masks cover whole pictures',
    },
  ],
  elsewhere: [
    {
      keys: ['dataset.type', 'dataset.task'],
      when: (type: string) => dataType(type).holds === 'masks',
      because: (_type: string, task = 'classification') =>
        `another type for ${task}: such folders have a class for each pixel, for which task is segmentation`,
    },
  ],
} as const satisfies AnswerKeys;
