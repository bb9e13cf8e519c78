import { z } from 'zod';
import { taskNames } from '../../recipe/task.ts';
import { amount, scoreValue, whole } from './parts.ts';

/** The run itself: where, on what, how long. */

export const machineSchema = z.strictObject({
  cpu: z.string(),
  cores: whole,
  memoryBytes: whole,
  platform: z.string(),
  node: z.string(),
  engine: z.string(),
  device: z.string(),
});

export const reportedDatasetSchema = z.strictObject({
  type: z.string(),
  task: z.enum(taskNames()),
  classes: whole.describe(
    'What a model answers, a number each: classes, or label columns; 0 if the run stopped before it had read its data.',
  ),
  classNames: z.array(z.string()).readonly().exactOptional(),
  labelledBy: z
    .string()
    .exactOptional()
    .describe('Whose answers stand in for labels: what is counted as right is agreement with it.'),
  sampleShape: z.array(whole).readonly(),
  samples: z.strictObject({ train: whole, validation: whole, test: whole }),
  labelled: whole.exactOptional().describe('Samples of train that have a label; absent where all have one.'),
});

export const scoreSchema = z
  .strictObject({
    name: z.string(),
    unit: z
      .enum(['fraction', 'label', 'nats'])
      .describe('`fraction`: from 0 to 1; `label`: in the units of the label; `nats`: a logarithm.'),
    better: z.enum(['higher', 'lower']),
  })
  .describe('The figure that models are judged by; all that is called score here is a value of it.');

export const reportedTeacherSchema = z
  .strictObject({
    source: z.string(),
    store: z.enum(['fp16', 'fp32', 'live', 'none']),
    views: whole,
    seconds: amount.describe(
      'Time the teacher took to answer: for the store, or at the steps of the last start when it is asked live.',
    ),
    savedSeconds: amount.describe('Time that asking it at every step would have taken beyond that.'),
    bytes: whole,
  })
  .describe('Where the soft targets came from, and what storing them was worth.');

export const trainingSchema = z.strictObject({
  stage: z.string().describe('The `stage` of a model row.'),
  bestEpoch: whole.nullable().describe('Its weights were kept; null where the training was stopped.'),
  epochs: z
    .array(
      z.strictObject({
        epoch: whole,
        loss: z
          .number()
          .describe('Mean of the training loss over the epoch. Losses of different kinds are not comparable.'),
        score: scoreValue
          .optional()
          .describe(
            'On the training batches as they came, before each update; absent for a score of all samples together.',
          ),
        validation: scoreValue,
      }),
    )
    .readonly(),
});

export const stageSchema = z.strictObject({
  stage: z.string(),
  seconds: amount,
  score: z.strictObject({ validation: scoreValue.exactOptional(), test: scoreValue.exactOptional() }).exactOptional(),
  traffic: z
    .strictObject({
      calls: whole.describe('Calls of compiled steps.'),
      stateMoves: whole.describe('How often weights and optimizer state went to or from the device.'),
      stateBytes: whole,
      dataBytes: whole.describe('Batches and results.'),
    })
    .exactOptional()
    .describe('What went to and from the device that computed; absent for the CPU.'),
});

export const environmentSchema = z
  .strictObject({
    limbeck: z.string(),
    system: z.string(),
    packages: z.record(z.string(), z.string()).readonly(),
    cpuFeatures: z.array(z.string()).readonly().nullable(),
  })
  .describe('What else must be the same for the same figures.');
