import { z } from 'zod';
import type { KeyRule } from '../rule.ts';
import { count, fraction, usual } from './parts.ts';
import { finetuneOptimizerSchema, shortOptimizerSchema } from './training.ts';

const finetune = z
  .strictObject({
    epochs: z.number().min(0).default(1).describe('Passes over the training split after the change.'),
    optimizer: finetuneOptimizerSchema
      .optional()
      .describe(
        'Optimizer and learning-rate schedule; default: that of `distill` with a lower learning rate, on a cosine schedule.',
      ),
  })
  .describe('Training after the change, with the loss of `distill`.');

const maxDrop = z.number().min(0).max(100).describe('Largest loss of validation accuracy, in percentage points.');

/** Keys of every pruning step. */
const pruneKeys = {
  finetune: finetune.prefault({}),
  maxDrop: maxDrop.default(1),
  fallback: z.enum(['stop', 'skip']).default('stop').describe('Action when the drop is larger.'),
};
const amount = fraction.default(0.3);
const budget = z.enum(['global', 'layer']).default('global');

const pruneChannels = z.strictObject({
  type: usual('channels', 'Channels are removed: the files are smaller.'),
  amount: amount.describe('Share of `target` that is removed.'),
  target: z
    .enum(['channels', 'macs', 'parameters'])
    .default('channels')
    .describe('Quantity that `amount` is a share of.'),
  importance: z
    .enum(['l1', 'l2', 'bn-scale', 'taylor', 'fisher'])
    .default('l2')
    .describe(
      'Importance of a channel: norm of its weights, scale of its batch norm, or change of the loss without it (taylor: true labels; fisher: classes drawn from the answers of the teacher).',
    ),
  budget: budget.describe(
    'global: remove the least important channels of all layers; layer: the same share from every layer.',
  ),
  multipleOf: z
    .union([count, z.array(count).min(1)])
    .default(8)
    .describe(
      'Channel counts stay multiples of this number, because others are slower; of several numbers, the first below the count applies.',
    ),
  rounds: count.max(100).default(1).describe('Number of rounds, with fine-tuning after each.'),
  ...pruneKeys,
});

const pruneMagnitude = z.strictObject({
  type: z.literal('magnitude').describe('The smallest weights become zero.'),
  amount: amount.describe('Share of the weights that become zero.'),
  budget: budget.describe(
    'global: the smallest weights of all layers become zero; layer: the same share in every layer.',
  ),
  ...pruneKeys,
});

const prunePattern = z.strictObject({
  type: z.literal('n:m').describe('Weights become zero in a pattern.'),
  pattern: z
    .string()
    .regex(/^[1-9]\d*:[1-9]\d*$/)
    .default('2:4')
    .describe('n:m keeps n of every m consecutive weights along the inputs.'),
  ...pruneKeys,
});

export type PruneChannels = z.infer<typeof pruneChannels>;
export type PruneMagnitude = z.infer<typeof pruneMagnitude>;
export type PrunePattern = z.infer<typeof prunePattern>;

export const pruneSchema = z
  .discriminatedUnion('type', [pruneChannels, pruneMagnitude, prunePattern])
  .describe('One pruning step.');

const qat = z
  .strictObject({
    epochs: z.number().gt(0).max(10_000).default(2).describe('Passes over the training split.'),
    optimizer: shortOptimizerSchema
      .prefault({ learningRate: 0.0002 })
      .describe('Optimizer and learning-rate schedule; default: adamw at 0.0002, on a cosine schedule.'),
  })
  .describe('Training with quantization, with the loss of `distill`.');

/** Quantization-aware training as a fallback without settings of its own. */
export const usualQat: z.infer<typeof qat> = qat.parse({});

/** Keys of every quantization. */
const quantizeKeys = { maxDrop: maxDrop.default(0.5) };
const FALLBACK = 'Action when the drop is larger: ';
const keepOrStop = z.enum(['keep-float', 'stop']).default('keep-float');

/** Keys of quantizations that are calibrated with samples. */
const calibrated = {
  calibrator: z
    .enum(['minmax', 'percentile', 'mse'])
    .default('mse')
    .describe('Method that chooses the ranges of activations.'),
  samples: count.default(512).describe('Number of training samples for calibration.'),
  keepFloat: z.array(z.string().min(1)).default([]).describe('Layers that stay in float, by name.'),
};

const int8 = usual('int8', 'Weights and activations of 8 bits.');

const int8AfterTraining = z.strictObject({
  scheme: int8,
  method: usual('ptq', 'After training.'),
  ...calibrated,
  symmetric: z
    .boolean()
    .default(false)
    .describe('Activations with the zero point 0, which TensorRT needs, at the price of half their range.'),
  ...quantizeKeys,
  fallback: z
    .enum(['keep-float', 'stop', 'qat'])
    .default('keep-float')
    .describe(
      `${FALLBACK}keep the most sensitive layers in float (all, if need be), stop, or train with quantization.`,
    ),
  qat: qat.optional(),
});

const int8Training = z.strictObject({
  scheme: int8,
  method: z.literal('qat').describe('During training.'),
  ...calibrated,
  qat: qat.prefault({}),
  ...quantizeKeys,
  fallback: keepOrStop.describe(`${FALLBACK}ship the float files alone, or stop.`),
});

const int16x8 = z.strictObject({
  scheme: z.literal('int16x8').describe('Activations of 16 bits, weights of 8 (TFLite).'),
  ...calibrated,
  ...quantizeKeys,
  fallback: keepOrStop.describe(`${FALLBACK}ship the float files alone, or stop.`),
});

const reduced = (scheme: 'fp16' | 'dynamic-int8' | 'int4', doc: string) =>
  z.strictObject({
    scheme: z.literal(scheme).describe(doc),
    ...quantizeKeys,
    fallback: keepOrStop.describe(`${FALLBACK}ship the float files alone, or stop.`),
  });

const quantizeStep = z
  .discriminatedUnion('scheme', [
    z.discriminatedUnion('method', [int8AfterTraining, int8Training]),
    int16x8,
    reduced('fp16', 'Weights and activations of 16 bits.'),
    reduced('dynamic-int8', 'Weights of 8 bits; activations are quantized at run time.'),
    reduced('int4', 'Weights of dense layers of 4 bits (ONNX).'),
  ])
  .describe('One quantization of the student.');

export type QuantizeRecipe = z.infer<typeof quantizeStep>;
export type Int8Recipe = Extract<QuantizeRecipe, { scheme: 'int8' }>;
export type Int8AfterTraining = Extract<Int8Recipe, { method: 'ptq' }>;
export type Int16Recipe = Extract<QuantizeRecipe, { scheme: 'int16x8' }>;
export type RecipeCalibrator = Int8Recipe['calibrator'];

/** A single step needs no list around it. */
export const quantizeSchema = z
  .union([quantizeStep, z.array(quantizeStep)])
  .transform((given) => (Array.isArray(given) ? given : [given]))
  .describe('Quantizations of the last student, each from its float weights.');

const isKept = (pattern: string): boolean => {
  const [n = 0, m = 0] = pattern.split(':').map(Number);
  return n >= m;
};

export const compressRules: readonly KeyRule[] = [
  { keys: ['prune.*.pattern'], when: isKept, because: 'n:m with n < m' },
  {
    keys: ['quantize.*.qat', 'quantize.*.method', 'quantize.*.fallback'],
    when: (_qat: object, method: string, fallback: string) => method === 'ptq' && fallback !== 'qat',
    because: 'method: qat or fallback: qat, to which these keys belong',
    received: (_qat: object, _method: string, fallback: string) => `method: ptq, fallback: ${fallback}`,
  },
  {
    keys: ['quantize.*.symmetric', 'quantize.*.fallback'],
    when: (isSymmetric: boolean, fallback: string) => isSymmetric && fallback === 'qat',
    because: 'false beside qat: trained ranges have a zero point',
  },
];
