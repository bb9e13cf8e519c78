import { z } from 'zod';

/** Schedule of a loss option over the epochs. */
const numberSchedule = z.strictObject({
  from: z.number().min(0).optional().describe('Value at the first step; default: the value in the recipe.'),
  to: z.number().min(0).describe('Value at the end, and in the trainings after it (pruning, quantization).'),
  curve: z.enum(['linear', 'cosine']).default('linear').describe('Curve between the two values.'),
  epochs: z.number().gt(0).optional().describe('Epochs until the end is reached; default: all.'),
});

export const lossSchedules = z
  .record(z.string(), numberSchedule)
  .describe('Options of the loss that change during the training of the student, such as temperature or alpha.');

/** True for a numeric option, which is fed at each step: lists and sizes are fixed when the step is built. */
export function isFed(option: z.ZodType): boolean {
  return [0.5, 1.5].some((value) => option.safeParse(value).success);
}
