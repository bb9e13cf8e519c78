import { z } from 'zod';
import {
  channelsSchema,
  examplesSchema,
  paritySchema,
  pruningSensitivitySchema,
  quantizationSensitivitySchema,
  reportedRaceSchema,
  searchSchema,
  verdictSchema,
} from './schema/findings.ts';
import { laterMeasurementSchema, measurementSchema } from './schema/latency.ts';
import { modelRowSchema } from './schema/model.ts';
import { amount, whole } from './schema/parts.ts';
import {
  reportedDatasetSchema,
  environmentSchema,
  machineSchema,
  scoreSchema,
  stageSchema,
  reportedTeacherSchema,
  trainingSchema,
} from './schema/run.ts';

/** The version of report.json that is written. */
export const REPORT_VERSION = 3 as const;

/** The one definition of report.json: the types of `types.ts` and docs/report.schema.json are made from it. */
export const reportSchema = z
  .strictObject({
    version: z.literal(REPORT_VERSION),
    name: z.string(),
    seed: whole,
    status: z.enum(['complete', 'failed', 'interrupted']),
    stopped: z
      .strictObject({ stage: z.string(), reason: z.string() })
      .exactOptional()
      .describe('Where a run that did not come to its end stopped, and why.'),
    wallSeconds: amount.describe('Working time over all starts of the run.'),
    machine: machineSchema,
    dataset: reportedDatasetSchema,
    score: scoreSchema,
    teacher: reportedTeacherSchema.exactOptional(),
    models: z.array(modelRowSchema).readonly(),
    verdict: verdictSchema.exactOptional(),
    examples: examplesSchema.exactOptional(),
    pruningSensitivity: pruningSensitivitySchema.exactOptional(),
    channels: channelsSchema.exactOptional(),
    parity: z.array(paritySchema).readonly(),
    training: z
      .array(trainingSchema)
      .readonly()
      .exactOptional()
      .describe('How each model was trained, epoch by epoch.'),
    measurement: measurementSchema.exactOptional(),
    remeasured: z
      .array(laterMeasurementSchema)
      .readonly()
      .exactOptional()
      .describe('Measurements after the run, whose rows stand among those of the models.'),
    search: searchSchema.exactOptional(),
    race: reportedRaceSchema.exactOptional(),
    stages: z
      .array(stageSchema)
      .readonly()
      .exactOptional()
      .describe(
        'The stages in order and the time that each took: wallSeconds in all, but for a search, which has trials besides.',
      ),
    quantizationSensitivity: quantizationSensitivitySchema.exactOptional(),
    environment: environmentSchema.exactOptional(),
    recipe: z
      .record(z.string(), z.unknown())
      .readonly()
      .exactOptional()
      .describe('With its defaults filled in, file names as they were written.'),
    notes: z.array(z.string()).readonly().describe('One sentence each: what was odd, left out or skipped, and why.'),
  })
  .describe('report.json of a Limbeck run. Shares are fractions, sizes bytes, latencies milliseconds, times seconds.');

export function reportJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(reportSchema);
}
