import { z } from 'zod';

import { NEEDS_PEER } from './loss.ts';
import type { LossName } from './loss.ts';
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

/** Parts of a recipe that decide whether there is a twin. */
interface Checked {
  readonly baseline: z.infer<typeof baselineSchema>;
  readonly target?: object | undefined;
  readonly student?: object | undefined;
  readonly distill: { readonly epochs: number; readonly loss: LossName | 'auto' };
  readonly teacher?: object | undefined;
  readonly dataset: { readonly labelled?: number | undefined };
}

/** Refuses an optimizer for a twin that is not trained. */
export function refuseForBaseline(recipe: Checked, context: z.RefinementCtx): void {
  const { baseline, target, student, distill, teacher, dataset } = recipe;
  if (typeof baseline !== 'object') return;
  const hasOther = teacher !== undefined || NEEDS_PEER.has(distill.loss);
  const reasons: readonly (readonly [boolean, string, string])[] = [
    [target !== undefined, 'a recipe without target, whose candidates have no twin', 'target'],
    [student === undefined, 'a student, whose twin it is for', 'none'],
    [distill.epochs === 0, 'a student that is trained', 'distill.epochs: 0'],
    [!hasOther, 'a teacher, without which there is no twin', 'none'],
    [dataset.labelled === 0, 'labels, which the twin learns from', 'dataset.labelled: 0'],
  ];
  const reason = reasons.find(([holds]) => holds);
  if (reason === undefined) return;
  const params = { expected: reason[1], received: reason[2] };
  context.addIssue({ code: 'custom', message: 'not read', path: ['baseline', 'optimizer'], params });
}
