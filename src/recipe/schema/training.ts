import { z } from 'zod';
import { keysOfAnswers } from '../answer-forms.ts';
import type { KeyRule } from '../rule.ts';
import { count } from './parts.ts';

const SCHEDULE = 'Schedule of the learning rate over the run.';

/** Optimizer of teacher and student, and its schedule. */
export const optimizerSchema = z
  .strictObject({
    type: z
      .enum(['sgd', 'momentum', 'nesterov', 'rmsprop', 'adam', 'adamw', 'muon'])
      .default('adamw')
      .describe('Update rule; muon: filters of convolutions by orthogonal momentum, everything else as adamw.'),
    learningRate: z.number().gt(0).default(0.002).describe('Highest learning rate.'),
    schedule: z.enum(['constant', 'cosine', 'linear', 'step', 'onecycle']).default('cosine').describe(SCHEDULE),
    warmup: z
      .number()
      .min(0)
      .default(0)
      .describe('Epochs over which the learning rate rises; 0: none, but 30 % of the run with `onecycle`.'),
    milestones: z.array(z.number().gt(0)).default([]).describe('Epochs after which `step` multiplies by 0.1.'),
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
    clipNorm: z.number().gt(0).optional().describe('Scale gradients down to this global norm.'),
    maxNorm: z
      .number()
      .gt(0)
      .optional()
      .describe('Maximum norm of the incoming weights of a unit of a dense layer or convolution; default: no limit.'),
  })
  .describe('Optimizer and learning-rate schedule.');

/** Optimizer of the trainings around them: assistants, fine-tuning, training with quantization. */
export const shortOptimizerSchema = optimizerSchema
  .pick({ type: true, learningRate: true, weightDecay: true })
  .extend({ schedule: z.enum(['constant', 'cosine', 'linear', 'onecycle']).default('cosine').describe(SCHEDULE) })
  .describe('Optimizer and learning-rate schedule.');

/** Optimizer of fine-tuning, which begins with trained weights. */
export const finetuneOptimizerSchema = shortOptimizerSchema.extend({ warmup: optimizerSchema.shape.warmup });

/** Rule that refuses a key that only some update rules or schedules read, with its default: with others it would be ignored, and hide a mistake. */
function readBy(key: string, by: 'type' | 'schedule', readers: readonly string[], usual: unknown): KeyRule {
  return {
    keys: [`optimizer.${key}`, `optimizer.${by}`],
    when: (value: unknown, chosen: string) => !readers.includes(chosen) && String(value) !== String(usual),
    because: `${readers.join(', ')} as ${by}, to which it belongs`,
    received: (_value: unknown, chosen: string) => chosen,
  };
}

export const trainingRules: readonly KeyRule[] = [
  readBy('milestones', 'schedule', ['step'], []),
  readBy('momentum', 'type', ['momentum', 'nesterov'], 0.9),
  {
    keys: ['optimizer.milestones', 'optimizer.schedule'],
    when: (milestones: readonly number[], schedule: string) => schedule === 'step' && milestones.length === 0,
    because: 'the epochs after which schedule: step lowers the learning rate',
    received: 'none',
  },
  {
    keys: ['optimizer.cycleFactor', 'optimizer.cycles'],
    when: (factor: number, cycles = 1) => cycles === 1 && factor !== 1,
    because: 'several cycles beside it, whose learning rates it lowers',
  },
  {
    keys: ['optimizer.decay', 'optimizer.weightDecay'],
    when: (decay: string, weightDecay: number) => decay === 'all' && weightDecay === 0,
    because: 'a weightDecay above 0 beside it',
  },
  {
    keys: ['training.microBatch', 'syncBatchNorm'],
    when: (_size: number, isWhole: boolean) => isWhole,
    because: 'nothing: with syncBatchNorm all parts of a batch are held at once',
  },
  {
    keys: ['training.microBatch', 'training.batchSize'],
    when: (size: number, batchSize: number) => size > batchSize,
    because: (_size: number, batchSize: number) => `at most batchSize, which is ${batchSize}`,
  },
];

const lengthKeys = {
  epochs: z
    .number()
    .gt(0)
    .max(100_000)
    .default(10)
    .describe('Passes over the training split; not stated, 10, or as many as `minSteps` asks for.'),
  minSteps: z
    .int()
    .min(0)
    .max(1_000_000)
    .optional()
    .describe(
      'Least number of steps: a training with fewer has more epochs, up to 200. Default: 2000 of a net with random weights whose epochs are not stated, without target; else none.',
    ),
  batchSize: count.max(65_536).default(128).describe('Samples per step.'),
};

/** Keys of an assistant's training. */
export const assistantKeys = { ...lengthKeys, optimizer: shortOptimizerSchema.prefault({}) };

export const trainingKeys = {
  ...lengthKeys,
  microBatch: count
    .max(65_536)
    .optional()
    .describe(
      'Maximum number of samples that a step computes at once; a larger batch is computed in parts whose gradients are added. Default: as many as fit into memory.',
    ),
  optimizer: optimizerSchema.prefault({}),
  ...keysOfAnswers('training'),
  ema: z.number().min(0).lt(1).default(0).describe('Decay of the moving average of the weights; 0 turns it off.'),
};
