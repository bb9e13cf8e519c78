import { z } from 'zod';
import { beside, without } from '../rule.ts';
import type { KeyRule } from '../rule.ts';
import { count, fraction } from './parts.ts';

export const targetSchema = z
  .strictObject({
    runtime: z
      .enum(['onnxruntime', 'litert-wasm', 'tflite-native'])
      .default('onnxruntime')
      .describe('Runtime whose latency counts, by its name in `limbeck bench`.'),
    batchSize: count.default(1).describe('Samples per call.'),
    threads: count.default(1).describe('Threads of the runtime.'),
    p95Ms: z.number().gt(0).optional().describe('Latency in milliseconds within which 95 % of the calls must end.'),
    sizeKb: z.number().gt(0).optional().describe('Size of the file in units of 1,000 bytes.'),
    maxDrop: z
      .number()
      .min(0)
      .max(100)
      .optional()
      .describe(
        'Largest loss of the validation score against the teacher: percentage points of accuracy, F1, mean IoU or mAP, percent of an RMSE.',
      ),
    widths: z
      .array(z.number().gt(0))
      .min(1)
      .default([0.25, 0.5, 0.75, 1])
      .describe('Widths of the student to try, as factors of its width, alpha, filters or hidden units in the recipe.'),
    amounts: z
      .array(fraction.max(0.95))
      .min(1)
      .default([0, 0.3, 0.5])
      .describe('Shares of multiply-accumulates to prune; 0: no pruning.'),
    rounds: count
      .max(10)
      .default(3)
      .describe('Rounds of halving: each trains the better half of the previous round for twice as many epochs.'),
  })
  .describe('Search for the best student within a budget, over width, pruning and number format.');

export type TargetRecipe = z.infer<typeof targetSchema>;

const MEASURED = 'a teacher whose accuracy on the validation split can be measured';

export const targetRules: readonly KeyRule[] = [
  without('target', 'student', 'a student to search for', 'a recipe without student'),
  {
    keys: ['target', 'target.p95Ms', 'target.sizeKb', 'target.maxDrop'],
    when: (_target: object, ...budgets: readonly unknown[]) => budgets.every((budget) => budget === undefined),
    because: 'a budget: p95Ms, sizeKb, maxDrop or several of them',
    received: 'none of them',
  },
  beside(
    'jobs',
    'target',
    'a recipe without target, whose candidates are trained one after another',
    'Take jobs out, and let several processes search: `limbeck run --shard 1/2` and `--shard 2/2` (docs/scale.md).',
  ),
  without('target.maxDrop', 'teacher', MEASURED, 'no teacher'),
  {
    ...beside('target.maxDrop', 'teacher.logits', MEASURED),
    received: 'stored logits, which are of the training split',
  },
];
