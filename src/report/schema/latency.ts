import { z } from 'zod';
import { amount, whole } from './parts.ts';

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
    .describe('95 % confidence interval of the median, from the spread between sessions; null for fewer than six.'),
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

export const measurementSchema = z
  .strictObject({
    seconds: amount,
    versions: z.record(z.string(), z.string()).readonly(),
    cpuFeatures: z
      .array(z.string())
      .readonly()
      .nullable()
      .describe('What of the CPU matters here; null where the system does not tell.'),
    loadAverage: amount.describe('Processes that wanted to run, mean of the last minute, when measuring began.'),
  })
  .describe('What latency was measured with.');

export const laterMeasurementSchema = z
  .strictObject({
    measuredAt: z.string().describe('ISO 8601; rows of this measurement have the same.'),
    versions: z.record(z.string(), z.string()).readonly(),
    loadAverage: amount.nullable().describe('Of the last minute, when measuring began; null for another device.'),
    skipped: z.array(z.strictObject({ what: z.string(), why: z.string() })).readonly(),
  })
  .describe('`limbeck bench` of a finished run, here or on another device.');
