import { loadavg } from 'node:os';
import { monotonicMs } from '../../base/clock.ts';
import { readBytes } from '../../base/files.ts';
import { measureLatency } from '../../measure/latency.ts';
import type { Latency } from '../../measure/latency.ts';
import { cpuFeatures } from '../../measure/machine.ts';
import { sourceOf } from '../../measure/variants.ts';
import type { ModelFile } from '../../measure/variants.ts';
import type { LatencyRow, Measurement } from '../../report/types.ts';
import type { StageContext } from '../context.ts';
import { versionOf } from '../doctor.ts';
import type { Measured } from './measure.ts';

export interface Timed {
  readonly rows: ReadonlyMap<string, readonly LatencyRow[]>;
  readonly measurement?: Measurement;
  readonly notes: readonly string[];
}

/** Time the exported models and the teacher beside each other, within the seconds that the recipe gives. */
export async function timeModels(context: StageContext, measured: readonly Measured[]): Promise<Timed> {
  const { recipe, data, onEvent, signal } = context;
  const { batchSizes, threads, seconds } = recipe.report.latency;
  const files = seconds === 0 ? [] : await filesOf(context, measured);
  if (files.length === 0) return { rows: new Map(), notes: [] };
  onEvent({ type: 'stage', stage: 'latency', title: `timing ${files.map(({ name }) => name).join(', ')}` });
  const start = monotonicMs();
  const loadAverage = loadavg()[0]!;
  const options = { batchSizes, threads, sampleShape: data.train.sampleShape };
  const sources = files.map((file) => sourceOf(file, options));
  // A figure less is no reason to lose a run that is done.
  const result = await measureLatency(sources, { budgetMs: 1000 * seconds, signal, lenient: true });
  const took = (monotonicMs() - start) / 1000;
  await context.done('latency', took);
  return {
    rows: new Map(files.map(({ name }) => [name, result.rows.filter((row) => row.name === name).map(rowOf)])),
    measurement: {
      seconds: took,
      versions: { 'onnxruntime-node': versionOf('onnxruntime-node') },
      cpuFeatures: cpuFeatures()?.flatMap(({ name, present }) => (present ? [name] : [])) ?? null,
      loadAverage,
    },
    notes: result.skipped.map(({ what, why }) => `latency of ${what} was not measured: ${why}`),
  };
}

/** By id of the model: what the run exported, and an ONNX teacher as it was given. */
async function filesOf({ recipe }: StageContext, measured: readonly Measured[]): Promise<ModelFile[]> {
  const files = measured.flatMap(({ id, repeat, exported }) =>
    exported === undefined || repeat > 0 ? [] : [{ name: id, format: `.${exported.format}`, bytes: exported.bytes }],
  );
  const teacher = recipe.teacher?.onnx;
  const isOpened = measured.some(({ id, exported }) => id === 'teacher' && exported === undefined);
  if (teacher === undefined || !isOpened) return files;
  return [{ name: 'teacher', format: '.onnx', bytes: await readBytes(teacher) }, ...files];
}

function rowOf({ runtime, device, batchSize, threads, p50Ms, p95Ms, p99Ms, ...rest }: Latency): LatencyRow {
  const { throughputPerSecond, intervalMs, runs, sessions } = rest;
  const where = { runtime, device, batchSize, threads };
  return { ...where, p50Ms, p95Ms, p99Ms, throughputPerSecond, intervalMs, runs, sessions };
}
