import { z } from 'zod';
import type { Report } from './types.ts';

const fraction = z.number().min(0).max(1);
const amount = z.number().min(0);
const whole = z.int().min(0);

/** What docs/report.schema.json is made from; a test holds it against the types and against the file. */
export const reportSchema = z
  .strictObject({
    version: z.literal(1),
    name: z.string(),
    seed: whole,
    status: z.enum(['complete', 'failed']),
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
      classes: whole,
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
          stage: z.string(),
          format: z.string(),
          precision: z.string(),
          params: whole,
          macs: whole.nullable(),
          sizeBytes: whole,
          file: z.string().nullable().describe('Relative to the folder of the run.'),
          accuracy: z.strictObject({ validation: fraction.nullable(), test: fraction.nullable() }),
          seconds: amount,
          latency: z
            .array(
              z.strictObject({
                runtime: z.string(),
                device: z.string(),
                batchSize: whole,
                threads: whole,
                p50Ms: amount,
                p95Ms: amount,
                throughputPerSecond: amount,
              }),
            )
            .readonly(),
        }),
      )
      .readonly(),
    verdict: z
      .strictObject({
        result: z.enum(['BEATS', 'NO GAIN', 'INCONCLUSIVE']),
        gain: z.number().describe('Mean gain in accuracy, a fraction.'),
        interval: z.tuple([z.number(), z.number()]).readonly().nullable(),
        repeats: whole,
        gains: z.array(z.number()).readonly(),
        sentence: z.string(),
      })
      .exactOptional(),
    parity: z
      .array(z.strictObject({ file: z.string(), samples: whole, top1Agreement: fraction, largestError: amount }))
      .readonly(),
    notes: z.array(z.string()).readonly(),
  })
  .describe('report.json of a Limbeck run. Accuracies are fractions, sizes bytes, latencies milliseconds.');

export function reportJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(reportSchema);
}

/** Read a report back, checked. */
export function parseReport(text: string): Report {
  return reportSchema.parse(JSON.parse(text));
}
