import { z } from 'zod';
import { classesKeys } from '../answers/classes.ts';
import { maskKeys } from '../answers/mask.ts';
import { numbersKeys } from '../answers/numbers.ts';
import { classVectorKeys, pairsKeys } from '../answers/vector.ts';
import { count } from './parts.ts';

/** Keys that only some update rules or schedules read, with their defaults: with others they would be ignored, and hide a mistake. */
const READ_BY: Readonly<
  Record<string, { readonly by: 'type' | 'schedule'; readonly readers: readonly string[]; readonly usual: unknown }>
> = {
  milestones: { by: 'schedule', readers: ['step'], usual: [] },
  gamma: { by: 'schedule', readers: ['step'], usual: 0.1 },
  finalLearningRate: { by: 'schedule', readers: ['cosine', 'linear', 'onecycle'], usual: 0 },
  momentum: { by: 'type', readers: ['momentum', 'nesterov'], usual: 0.9 },
  beta1: { by: 'type', readers: ['adam', 'adamw', 'muon'], usual: 0.9 },
  beta2: { by: 'type', readers: ['adam', 'adamw', 'rmsprop', 'muon'], usual: 0.999 },
  epsilon: { by: 'type', readers: ['adam', 'adamw', 'rmsprop', 'muon'], usual: 1e-8 },
};

/** Optimizer and its schedule; shared by teacher, student and fine-tuning. */
export const optimizerSchema = z
  .strictObject({
    type: z
      .enum(['sgd', 'momentum', 'nesterov', 'rmsprop', 'adam', 'adamw', 'muon'])
      .default('adamw')
      .describe('Update rule; muon: filters of convolutions by orthogonal momentum, everything else as adamw.'),
    learningRate: z.number().gt(0).default(0.002).describe('Highest learning rate.'),
    schedule: z
      .enum(['constant', 'cosine', 'linear', 'step', 'onecycle'])
      .default('cosine')
      .describe('Schedule of the learning rate over the run.'),
    warmup: z
      .number()
      .min(0)
      .default(0)
      .describe('Epochs over which the learning rate rises; 0: none, but 30 % of the run with `onecycle`.'),
    milestones: z.array(z.number().gt(0)).default([]).describe('Epochs after which `step` multiplies by `gamma`.'),
    gamma: z.number().gt(0).default(0.1).describe('Factor of the `step` schedule.'),
    finalLearningRate: z
      .number()
      .min(0)
      .default(0)
      .describe('Learning rate at the end of `cosine`, `linear` and `onecycle`.'),
    cycles: count
      .max(1000)
      .optional()
      .describe(
        'Number of repetitions of the schedule, each in an equal share of the run (warm restarts); default: 1.',
      ),
    cycleFactor: z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .describe('Factor of the learning rate from one cycle to the next; default: 1.'),
    weightDecay: z
      .number()
      .min(0)
      .default(0)
      .describe('Weight decay: decoupled for adamw and muon, L2 for the others.'),
    decay: z
      .enum(['matrices', 'all'])
      .default('matrices')
      .describe('Weights that decay: `matrices` excludes biases and scales of norms.'),
    momentum: z.number().min(0).lt(1).default(0.9).describe('Momentum of momentum and nesterov.'),
    beta1: z
      .number()
      .min(0)
      .lt(1)
      .default(0.9)
      .describe('Decay of the first moment (adam, adamw), and of the momentum of muon.'),
    beta2: z.number().min(0).lt(1).default(0.999).describe('Decay of the second moment (adam, adamw, rmsprop, muon).'),
    epsilon: z
      .number()
      .gt(0)
      .default(1e-8)
      .describe('Added to the denominator of the update (adam, adamw, rmsprop, muon).'),
    clipNorm: z.number().gt(0).optional().describe('Scale gradients down to this global norm.'),
    maxNorm: z
      .number()
      .gt(0)
      .optional()
      .describe('Maximum norm of the incoming weights of a unit of a dense layer or convolution; default: no limit.'),
  })
  .superRefine((optimizer, context) => {
    for (const [key, { by, readers, usual }] of Object.entries(READ_BY)) {
      const value = optimizer[key as keyof typeof optimizer];
      if (readers.includes(optimizer[by]) || value === undefined || String(value) === String(usual)) continue;
      const params = { expected: `${readers.join(', ')} as ${by}, to which it belongs`, received: optimizer[by] };
      context.addIssue({ code: 'custom', message: 'not read', path: [key], params });
    }
    for (const [key, received, expected] of withoutEffect(optimizer))
      context.addIssue({ code: 'custom', message: 'not read', path: [key], params: { expected, received } });
  })
  .describe('Optimizer and learning-rate schedule.');

/** Keys without effect in the absence of another, with the received and the expected value. */
function withoutEffect({
  schedule,
  milestones,
  cycles = 1,
  cycleFactor = 1,
  decay,
  weightDecay,
}: {
  readonly schedule: string;
  readonly milestones: readonly number[];
  readonly cycles?: number | undefined;
  readonly cycleFactor?: number | undefined;
  readonly decay: string;
  readonly weightDecay: number;
}): (readonly [string, unknown, string])[] {
  return [
    ...(schedule === 'step' && milestones.length === 0
      ? [['milestones', 'none', 'the epochs after which schedule: step lowers the learning rate'] as const]
      : []),
    ...(cycles === 1 && cycleFactor !== 1
      ? [['cycleFactor', cycleFactor, 'several cycles beside it, whose learning rates it lowers'] as const]
      : []),
    ...(decay === 'all' && weightDecay === 0 ? [['decay', decay, 'a weightDecay above 0 beside it'] as const] : []),
  ];
}

export const trainingKeys = {
  epochs: z.number().gt(0).max(100_000).default(10).describe('Passes over the training split.'),
  batchSize: count.max(65_536).default(128).describe('Samples per step.'),
  microBatch: count
    .max(65_536)
    .optional()
    .describe(
      'Maximum number of samples that a step computes at once; a larger batch is computed in parts whose gradients are added. Default: as many as fit into memory.',
    ),
  optimizer: optimizerSchema.prefault({}),
  ...classesKeys.keys.training,
  ...numbersKeys.keys.training,
  ...maskKeys.keys.training,
  ...classVectorKeys.keys.training,
  ...pairsKeys.keys.training,
  ema: z.number().min(0).lt(1).default(0).describe('Decay of the moving average of the weights; 0 turns it off.'),
};
