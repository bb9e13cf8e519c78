import { TASKS } from '../recipe/task.ts';
import { z } from 'zod';

/** Schemas that several parts of report.json share. */

export const fraction = z.number().min(0).max(1);
export const amount = z.number().min(0);
export const whole = z.int().min(0);
export const split = z.enum(['test', 'validation']);

const repeat = whole.describe('From 0: trainings of one recipe that differ in their seed.');
export const modelSchema = z
  .union([
    z.strictObject({ role: z.enum(['teacher', 'scratch', 'distilled']), repeat }),
    z.strictObject({
      role: z.literal('pruned'),
      repeat,
      step: z.int().min(1).describe('Which prune step of the recipe, from 1.'),
    }),
  ])
  .describe('Which training made its weights.');

export const latencySchema = z.strictObject({
  runtime: z.string(),
  device: z.string(),
  batchSize: whole,
  threads: whole,
  p50Ms: amount,
  p95Ms: amount,
  p99Ms: amount.exactOptional(),
  throughputPerSecond: amount.describe('Samples per second at the median.'),
  intervalMs: z
    .tuple([amount, amount])
    .readonly()
    .nullable()
    .exactOptional()
    .describe('95 % confidence interval of the median.'),
  runs: whole.exactOptional(),
  sessions: whole.exactOptional().describe('Times that the model was loaded anew.'),
  memoryBytes: whole
    .nullable()
    .exactOptional()
    .describe('What loading and running the model adds to the memory of a process, at its highest.'),
  measuredAt: z
    .string()
    .exactOptional()
    .describe('Of a measurement after the run. Only rows of one measurement took turns and can be compared.'),
});

export const laterMeasurementSchema = z.strictObject({
  measuredAt: z.string().describe('ISO 8601; rows of this measurement have the same.'),
  versions: z.record(z.string(), z.string()).readonly(),
  loadAverage: amount.nullable().describe('Of the last minute, when measuring began; null for another device.'),
  skipped: z.array(z.strictObject({ what: z.string(), why: z.string() })).readonly(),
});

/** The score of a task: a fraction, or an error of which less is better. */
export const score = z.number().min(0);

export const errorsSchema = z.strictObject({
  split,
  rows: z
    .array(
      z.strictObject({
        name: z.string(),
        mae: amount.describe('Mean absolute error.'),
        rmse: amount.describe('Root of the mean squared error.'),
        r2: z.number().nullable().describe('1 - squared error / that of the mean; null where all labels are the same.'),
        bias: z.number().describe('Mean of prediction - label.'),
      }),
    )
    .readonly(),
  points: z
    .array(z.array(z.tuple([z.number(), z.number()]).readonly()).readonly())
    .readonly()
    .describe('Of each number: [label, prediction] of some samples.'),
});

export const labelsSchema = z.strictObject({
  split,
  meanAveragePrecision: fraction.nullable().describe('Over the labels that some sample has.'),
  rightDecisions: fraction.describe('Share of all labels of all samples that are rightly given or not given.'),
  rows: z
    .array(
      z.strictObject({
        name: z.string(),
        samples: whole.describe('That have the label.'),
        averagePrecision: fraction.nullable().describe('Null where no sample has the label.'),
        f1: fraction
          .nullable()
          .describe('At a probability of 0.5; null where no sample has the label and none is given.'),
        threshold: fraction
          .exactOptional()
          .describe('Probability above which the label is given for the best F1 on the validation split.'),
        f1AtThreshold: fraction.nullable().exactOptional(),
      }),
    )
    .readonly(),
});

const histogram = z.strictObject({
  edges: z.array(z.number()).readonly().describe('Ascending; bin i holds values above edge i - 1, up to edge i.'),
  counts: z.array(whole).readonly(),
});

export const usualSchema = z.strictObject({
  split,
  samples: whole,
  confidence: histogram.describe('Probability of the class that was given.'),
  entropy: histogram.describe('Of all probabilities, in nats.'),
  classes: z.array(whole).readonly().describe('Samples by the class that was given.'),
});

export const repeatsSchema = z
  .strictObject({
    accuracies: z.array(score).min(2).readonly(),
    mean: score,
    interval: z.tuple([score, score]).readonly().describe('95 % confidence interval of the mean.'),
  })
  .describe('Accuracies of the model trained with several seeds; all other figures of the row are those of the first.');

export const pairSchema = z
  .strictObject({
    split,
    samples: whole,
    onlyDistilled: whole.describe('Samples that the distilled student alone has right.'),
    onlyScratch: whole,
    difference: z.number().describe('Of the accuracies, a fraction.'),
    interval: z.tuple([z.number(), z.number()]).readonly().describe('95 % confidence interval of the difference.'),
    p: fraction.describe("Mid-p value of McNemar's test."),
    sentence: z.string(),
  })
  .describe('The student and its twin sample by sample; of a run with one repeat.');

export const examplesSchema = z.strictObject({
  model: z.string().describe('Id of the student.'),
  split: z.enum(['test', 'validation']),
  differ: z.int().min(0).describe('Samples of the split that they answer differently; of numbers all of them.'),
  samples: z.int().min(0),
  rows: z
    .array(
      z.strictObject({
        sample: z.string(),
        picture: z.base64().exactOptional().describe('PNG in base64.'),
        values: z
          .array(z.strictObject({ name: z.string(), value: z.union([z.number(), z.string()]) }))
          .readonly()
          .exactOptional()
          .describe('Of a row of a table: its first columns.'),
        label: z.string().exactOptional().describe('Absent where nobody knows it.'),
        teacher: z.string(),
        student: z.string(),
      }),
    )
    .readonly()
    .describe('Those of which both are surest first.'),
});

export const datasetSchema = z.strictObject({
  type: z.string(),
  task: z.enum(TASKS).exactOptional().describe('Absent of classification.'),
  classes: whole.describe('0 if the run stopped before it had read its data.'),
  classNames: z.array(z.string()).readonly().exactOptional(),
  labelledBy: z
    .string()
    .exactOptional()
    .describe('Whose answers stand in for labels: what is counted as right is agreement with it.'),
  sampleShape: z.array(whole).readonly(),
  samples: z.strictObject({ train: whole, validation: whole, test: whole }),
  labelled: whole.exactOptional().describe('Samples of train that have a label; absent where all have one.'),
});
