import type { z } from 'zod';
import type { laterMeasurementSchema, latencySchema, measurementSchema } from './schema/latency.ts';
import type { reportSchema } from './schema.ts';

/** Names of the parts of report.json, all inferred from its schema. */

export type Report = Readonly<z.infer<typeof reportSchema>>;
export type Machine = Report['machine'];
export type DatasetSummary = Report['dataset'];
export type TeacherSummary = NonNullable<Report['teacher']>;
export type StageSummary = NonNullable<Report['stages']>[number];
export type TrainingCurve = NonNullable<Report['training']>[number];
export type Environment = NonNullable<Report['environment']>;

export type ModelRow = Readonly<Report['models'][number]>;
export type LatencyRow = Readonly<z.infer<typeof latencySchema>>;
export type Repeats = NonNullable<ModelRow['repeats']>;
export type Agreement = NonNullable<ModelRow['agreement']>;

export type Verdict = NonNullable<Report['verdict']>;
export type Pair = NonNullable<Verdict['pair']>;
export type Examples = NonNullable<Report['examples']>;
export type ParitySummary = Report['parity'][number];
export type PruningSensitivity = NonNullable<Report['pruningSensitivity']>;
export type ChannelCuts = NonNullable<Report['channels']>;
export type QuantizationSensitivity = NonNullable<Report['quantizationSensitivity']>;
export type Race = NonNullable<Report['race']>;
export type Search = NonNullable<Report['search']>;
export type SearchPoint = Search['points'][number];

export type Measurement = z.infer<typeof measurementSchema>;
export type LaterMeasurement = z.infer<typeof laterMeasurementSchema>;
