import { z } from 'zod';
import { PRECISIONS } from './artifact.ts';
import { fromVersion1 } from './earlier.ts';
import { TASKS } from '../recipe/task.ts';
import { amount, fraction, latencySchema, laterMeasurementSchema, modelSchema } from './schema-parts.ts';
import {
  errorsSchema,
  labelsSchema,
  pairSchema,
  repeatsSchema,
  score,
  split,
  usualSchema,
  whole,
} from './schema-parts.ts';
import type { Report } from './types.ts';

/** Schema of report.json, from which docs/report.schema.json is made; a test compares it with the types and with the file. */
export const reportSchema = z
  .strictObject({
    version: z.literal(2),
    name: z.string(),
    seed: whole,
    status: z.enum(['complete', 'failed', 'interrupted']),
    stopped: z.strictObject({ stage: z.string(), reason: z.string() }).exactOptional(),
    wallSeconds: amount.describe('Working time over all starts of the run.'),
    machine: z.strictObject({
      cpu: z.string(),
      cores: whole,
      memoryBytes: whole,
      platform: z.string(),
      node: z.string(),
      engine: z.string(),
      device: z.string(),
    }),
    dataset: z.strictObject({
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
    }),
    teacher: z
      .strictObject({
        source: z.string(),
        store: z.enum(['fp16', 'fp32', 'live', 'none']),
        views: whole,
        seconds: amount.describe('Time the teacher took to answer for the store.'),
        savedSeconds: amount.describe('Time that asking it at every step would have taken beyond that.'),
        bytes: whole,
      })
      .exactOptional(),
    models: z
      .array(
        z.strictObject({
          id: z.string().describe('teacher, scratch, distilled, then one per later step.'),
          model: modelSchema,
          stage: z.string().describe('The stage that made its weights.'),
          format: z.string(),
          precision: z.enum(PRECISIONS),
          method: z
            .enum(['ptq', 'qat'])
            .exactOptional()
            .describe('How it came to fewer bits: after its training, or in one of its own; absent of fp32.'),
          number: z
            .int()
            .min(2)
            .exactOptional()
            .describe('Which of several quantize steps with this precision and method; absent of the first.'),
          params: whole,
          macs: whole.nullable(),
          sizeBytes: whole,
          gzipBytes: whole.exactOptional().describe('The file zipped.'),
          file: z.string().nullable().describe('Relative to the folder of the run.'),
          accuracy: z
            .strictObject({ validation: score.nullable(), test: score.nullable() })
            .describe('The score of the task: of classes a fraction, of numbers the RMSE in the units of the label.'),
          repeats: repeatsSchema.exactOptional(),
          seconds: amount,
          latency: z.array(latencySchema).readonly(),
          confusion: z
            .strictObject({
              split,
              counts: z.array(z.array(whole).readonly()).readonly().describe('[true class][predicted class]'),
            })
            .exactOptional(),
          perClass: z
            .strictObject({ split, samples: z.array(whole).readonly(), right: z.array(whole).readonly() })
            .exactOptional()
            .describe('By true class, where there are too many classes for a confusion matrix.'),
          calibration: z
            .strictObject({
              split,
              ece: fraction.describe('Expected calibration error over bins of equal width.'),
              confidence: fraction.describe('Mean probability of the class that was given.'),
              bins: z
                .array(
                  z.strictObject({
                    samples: whole,
                    confidence: fraction.nullable(),
                    accuracy: fraction.nullable(),
                  }),
                )
                .readonly()
                .describe('Ascending; means over the samples of the bin, null where there are none.'),
            })
            .exactOptional(),
          agreement: z
            .strictObject({
              split,
              bothRight: whole,
              onlyTeacher: whole,
              onlyThis: whole,
              sameError: whole.describe('Both wrong, with the same class.'),
              differentErrors: whole,
            })
            .exactOptional()
            .describe('Beside the teacher on the same samples: numbers of samples.'),
          errors: errorsSchema.exactOptional().describe('Of predicted numbers, in the units of the label.'),
          labels: labelsSchema.exactOptional().describe('Of several labels: each by itself.'),
          distance: amount
            .exactOptional()
            .describe("Of predicted numbers and of the logits of several labels: RMSE against the teacher's answers."),
          usual: usualSchema
            .exactOptional()
            .describe('How its answers are spread, for servers that watch theirs. ONNX files alone.'),
        }),
      )
      .readonly(),
    verdict: z
      .strictObject({
        result: z.enum(['BEATS', 'NO GAIN', 'INCONCLUSIVE']),
        gain: z.number().describe('Mean gain in the score: a fraction of accuracy, or how much less the RMSE is.'),
        interval: z.tuple([z.number(), z.number()]).readonly().nullable(),
        repeats: whole,
        gains: z.array(z.number()).readonly(),
        sentence: z.string(),
        pair: pairSchema.exactOptional(),
      })
      .exactOptional(),
    pruningSensitivity: z
      .strictObject({
        model: z.string(),
        accuracy: score,
        rows: z
          .array(
            z.strictObject({
              layers: z.array(z.string()).readonly().describe('Layers that make the same channels count as one.'),
              channels: whole,
              kept: whole,
              accuracy: score,
              drop: z.number().describe('How much worse than the model as it is.'),
            }),
          )
          .readonly(),
      })
      .exactOptional()
      .describe('Accuracy on the validation split after one layer alone lost channels, without training.'),
    parity: z
      .array(
        z.strictObject({
          ...{ file: z.string(), samples: whole, largestError: amount },
          top1Agreement: fraction.exactOptional().describe('Same class; absent of tasks without.'),
          sqnrDb: z.number().exactOptional().describe('Power of the logits over that of the difference, in dB.'),
        }),
      )
      .readonly(),
    training: z
      .array(
        z.strictObject({
          stage: z.string(),
          bestEpoch: whole.nullable().describe('Its weights were kept; null where the training was stopped.'),
          epochs: z
            .array(z.strictObject({ epoch: whole, loss: z.number(), accuracy: score, validation: score }))
            .readonly(),
        }),
      )
      .readonly()
      .exactOptional(),
    measurement: z
      .strictObject({
        seconds: amount,
        versions: z.record(z.string(), z.string()).readonly(),
        cpuFeatures: z.array(z.string()).readonly().nullable(),
        loadAverage: amount.describe('Of the last minute, when measuring began.'),
      })
      .exactOptional()
      .describe('What latency was measured with.'),
    remeasured: z
      .array(laterMeasurementSchema)
      .readonly()
      .exactOptional()
      .describe('Measurements after the run, whose rows stand among those of the models.'),
    search: z
      .strictObject({
        target: z.strictObject({
          runtime: z.string(),
          batchSize: whole,
          threads: whole,
          p95Ms: amount.exactOptional(),
          sizeKb: amount.exactOptional(),
          maxDrop: amount.exactOptional().describe('Percentage points below the teacher.'),
        }),
        points: z
          .array(
            z.strictObject({
              id: z.string(),
              width: amount.describe("Factor on the width of the recipe's student."),
              amount: fraction.describe('Share of multiply-accumulates that pruning removed.'),
              precision: z.string(),
              epochs: amount,
              params: whole,
              sizeBytes: whole,
              validation: fraction,
              p50Ms: amount,
              p95Ms: amount,
              onFront: z.boolean().describe('No other point is at least as good in all, and better in one.'),
              withinBudget: z.boolean(),
            }),
          )
          .readonly(),
        pick: z.string(),
        withinBudget: z.boolean().describe('The pick, in both of its measurements.'),
        again: z
          .strictObject({ p50Ms: amount, p95Ms: amount, withinBudget: z.boolean() })
          .exactOptional()
          .describe('The pick, timed once more after it was chosen.'),
        sentence: z.string(),
      })
      .exactOptional()
      .describe('What a search within a budget tried.'),
    stages: z
      .array(
        z.strictObject({
          stage: z.string(),
          seconds: amount,
          accuracy: z.strictObject({ validation: score.exactOptional(), test: score.exactOptional() }).exactOptional(),
          traffic: z
            .strictObject({
              calls: whole.describe('Calls of compiled steps.'),
              stateMoves: whole.describe('How often weights and optimizer state went to or from the device.'),
              stateBytes: whole,
              dataBytes: whole.describe('Batches and results.'),
            })
            .exactOptional()
            .describe('What went to and from the device that computed; absent for the CPU.'),
        }),
      )
      .readonly()
      .exactOptional()
      .describe(
        'The stages in order and the time that each took: wallSeconds in all, but for a search, which has trials besides.',
      ),
    quantizationSensitivity: z
      .strictObject({
        model: z.string().describe('The id of the float model.'),
        precision: z.string(),
        samples: whole,
        accuracy: score.describe('Of the float model on these samples.'),
        rows: z
          .array(
            z.strictObject({
              layer: z.string(),
              noise: amount.describe('Power of the error of the logits, as a share of the power of the float logits.'),
              drop: z.number().describe('How much worse the score is.'),
            }),
          )
          .readonly(),
      })
      .exactOptional()
      .describe('What each layer alone in fewer bits does to a model whose rest stays float.'),
    environment: z
      .strictObject({
        limbeck: z.string(),
        system: z.string(),
        packages: z.record(z.string(), z.string()).readonly(),
        cpuFeatures: z.array(z.string()).readonly().nullable(),
      })
      .exactOptional(),
    recipe: z.record(z.string(), z.unknown()).readonly().exactOptional().describe('With its defaults filled in.'),
    notes: z.array(z.string()).readonly(),
  })
  .describe(
    'report.json of a Limbeck run. What is called accuracy is the score of the task, of classes a fraction; sizes bytes, latencies milliseconds.',
  );

export function reportJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(reportSchema);
}

/** Read a report back, checked; one of an earlier version too. */
export function parseReport(text: string): Report {
  return reportSchema.parse(fromVersion1(JSON.parse(text)));
}
