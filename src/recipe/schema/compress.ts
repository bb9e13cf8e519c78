import { z } from 'zod';
import { count, fraction } from './parts.ts';
import { optimizerSchema } from './training.ts';

const finetune = z
  .strictObject({
    epochs: z.number().min(0).default(1).describe('Passes over the training split after the change.'),
    optimizer: optimizerSchema
      .optional()
      .describe('Default: that of `distill` with a lower learning rate, on a cosine schedule.'),
  })
  .describe('Training after the change, with the loss of `distill`.');

const maxDrop = z.number().min(0).max(100).describe('Largest loss of validation accuracy, in percentage points.');

export const pruneSchema = z
  .strictObject({
    type: z.enum(['channels', 'magnitude', 'n:m']).default('channels').describe('What is removed.'),
    amount: fraction
      .default(0.3)
      .describe('channels: share of `target` that is removed; magnitude: share of the weights that become zero.'),
    target: z
      .enum(['channels', 'macs', 'parameters'])
      .default('channels')
      .describe('channels: what `amount` is a share of.'),
    importance: z
      .enum(['l1', 'l2', 'bn-scale', 'taylor'])
      .default('l2')
      .describe(
        'channels: what says how much one matters: norm of its weights, scale of its batch norm, or change of the loss without it.',
      ),
    budget: z
      .enum(['global', 'layer'])
      .default('global')
      .describe('channels, magnitude: taken where they matter least, or the same share from every layer.'),
    multipleOf: z
      .union([count, z.array(count).min(1)])
      .default(8)
      .describe(
        'channels: counts stay multiples of this, others are slower; of several, the first below what the layer has.',
      ),
    layerLimit: z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .describe('channels, global: largest share of its channels that a layer loses; default (1 + amount) / 2.'),
    rounds: count.max(100).default(1).describe('channels: removed in so many rounds, fine-tuned after each.'),
    pattern: z
      .string()
      .regex(/^[1-9]\d*:[1-9]\d*$/)
      .superRefine((pattern, context) => {
        const [n, m] = pattern.split(':').map(Number) as [number, number];
        if (n < m) return;
        const params = { expected: 'n:m with n < m', received: pattern };
        context.addIssue({ code: 'custom', message: 'keeps everything', params });
      })
      .default('2:4')
      .describe('n:m: of every m weights that follow each other along the inputs, n stay.'),
    finetune: finetune.prefault({}),
    maxDrop: maxDrop.default(1),
    fallback: z.enum(['stop', 'skip']).default('stop').describe('What happens when the drop is larger.'),
  })
  .describe('One pruning step.');

const qat = z
  .strictObject({
    epochs: z.number().gt(0).max(10_000).default(2).describe('Passes over the training split.'),
    temperature: z
      .number()
      .gt(0)
      .max(1000)
      .default(1)
      .describe('Temperature of the distillation loss: quantized students learn better from a low one.'),
    optimizer: optimizerSchema
      .prefault({ learningRate: 0.0002 })
      .describe('Optimizer and learning-rate schedule; default: adamw at 0.0002, on a cosine schedule.'),
    rangeDecay: z
      .number()
      .min(0)
      .lt(1)
      .default(0.99)
      .describe('Decay of the moving averages that ranges of activations are.'),
    freezeAfter: fraction.default(0.5).describe('Share of the training after which ranges stay as they are.'),
  })
  .describe('Training with quantization, with the loss of `distill`.');

const adaround = z
  .strictObject({
    iterations: count.max(1_000_000).default(500).describe('Steps of the search for each layer, 32 samples each.'),
  })
  .describe('Adaptive rounding, on `samples` training samples; it takes the place of `biasCorrection`.');

const quantizeStep = z
  .strictObject({
    scheme: z
      .enum(['int8', 'fp16', 'dynamic-int8', 'int16x8', 'int4'])
      .default('int8')
      .describe(
        'int8, fp16: weights and activations; dynamic-int8: activations as they come; int16x8: activations of 16 bits, weights of 8 (TFLite); int4: weights of dense layers (ONNX).',
      ),
    method: z.enum(['ptq', 'qat']).default('ptq').describe('After training, or during it.'),
    calibrator: z
      .enum(['minmax', 'percentile', 'entropy', 'mse'])
      .default('mse')
      .describe('How ranges of activations are chosen.'),
    symmetric: z
      .boolean()
      .default(false)
      .describe('int8: activations with the zero point 0, which TensorRT wants, at the price of half their range.'),
    equalize: z
      .boolean()
      .default(false)
      .describe('int8: bring the channels of neighbouring layers into similar ranges first.'),
    biasCorrection: z
      .boolean()
      .default(true)
      .describe('int8: take the mean error of the rounded weights out of the biases.'),
    rounding: z
      .enum(['nearest', 'adaround'])
      .default('nearest')
      .describe("int8 after training: weights to the nearest step, or to that of two which keeps a layer's output."),
    adaround: adaround.prefault({}),
    keepFloat: z.array(z.string().min(1)).default([]).describe('int8: layers that stay in float, by name.'),
    samples: count.default(512).describe('Training samples that the calibrator sees.'),
    qat: qat.prefault({}),
    maxDrop: maxDrop.default(0.5),
    fallback: z
      .enum(['keep-float', 'stop', 'qat'])
      .default('keep-float')
      .describe(
        'What happens when the drop is larger: keep the most sensitive layers in float (all, if need be), stop, or train with quantization.',
      ),
  })
  .superRefine(({ scheme, method, fallback, symmetric, rounding }, context) => {
    if (rounding === 'adaround' && (scheme !== 'int8' || method !== 'ptq')) {
      const params = {
        expected: 'nearest: weights are rounded adaptively for int8 after training alone',
        received: rounding,
      };
      context.addIssue({ code: 'custom', message: 'no adaptive rounding', path: ['rounding'], params });
    }
    const key = method === 'qat' ? 'method' : 'fallback';
    if (method !== 'qat' && fallback !== 'qat') return;
    if (symmetric) {
      const params = { expected: 'false beside qat: ranges that are trained with have a zero point', received: 'true' };
      context.addIssue({ code: 'custom', message: 'no symmetric ranges', path: ['symmetric'], params });
    }
    if (scheme === 'int8') return;
    const params = { expected: `another ${key} for ${scheme}: only int8 is trained for`, received: 'qat' };
    context.addIssue({ code: 'custom', message: 'no training', path: [key], params });
  })
  .describe('One quantization of the student.');

/** One step may stand without a list around it. */
export const quantizeSchema = z
  .union([quantizeStep, z.array(quantizeStep)])
  .transform((given) => (Array.isArray(given) ? given : [given]))
  .describe('Quantizations of the last student, each from its float weights.');
