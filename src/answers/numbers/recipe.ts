import { z } from 'zod';
import type { AnswerKeys } from '../../recipe/rule.ts';

/** Keys about numbers to predict. */
export const numbersKeys = {
  name: 'regression',
  tasks: ['regression'],
  keys: {
    training: {
      huber: z
        .number()
        .gt(0)
        .optional()
        .describe(
          'Regression: error, in deviations of the label, above which the loss is linear instead of squared (Huber); default: always squared.',
        ),
    },
  },
  rules: [],
} as const satisfies AnswerKeys;
