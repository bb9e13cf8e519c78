import { loadavg } from 'node:os';
import { monotonicMs } from '../../../base/clock.ts';
import { InterruptedError } from '../../../base/errors.ts';
import { shapeSeen } from '../../../distill/teachers/inputs/own-pictures.ts';
import { decodeModel } from '../../../formats/onnx/protobuf.ts';
import { readOnnx } from '../../../files/onnx-file.ts';
import { measureLatency } from '../../../measure/latency/latency.ts';
import { cpuFeatures } from '../../../measure/machine.ts';
import { peakMemory } from '../../../measure/memory.ts';
import { describe } from '../../../measure/latency/setting.ts';
import type { Skipped } from '../../../base/skipped.ts';
import { sourceOf } from '../../../measure/latency/variants.ts';
import type { TimedFile } from '../../../measure/latency/variants.ts';
import { idOf, nameOf, TEACHER } from '../../../report/artifact.ts';
import type { Measurement } from '../../../report/types.ts';
import type { LatencyRow } from '../../../report/types.ts';
import type { StageContext } from '../../context.ts';
import { latencyRow, libraryVersions, measureElsewhere } from '../../../measure/devices/timing-place.ts';
import { progressOf } from '../../../train/progress.ts';
import type { MeasuredModels } from './measure.ts';

export interface Timed {
  readonly rows: ReadonlyMap<string, readonly LatencyRow[]>;
  readonly measurement?: Measurement;
  readonly notes: readonly string[];
}

/** Files that stand beside those of the run, by the ids of these. */
type Besides = ReadonlyMap<string, Pick<TimedFile, 'name' | 'bytes'>>;

/** Measures latencies of the exported models and the teacher side by side, within the seconds that the recipe grants. */
export async function timeModels(
  context: Pick<StageContext, 'recipe' | 'data' | 'onEvent' | 'signal' | 'done'>,
  measured: readonly MeasuredModels[],
  besides: readonly Besides[] = [],
): Promise<Timed> {
  const { recipe, data, onEvent, signal } = context;
  const { batchSizes, threads, seconds, places } = recipe.report.latency;
  const files = seconds === 0 ? [] : await filesOf(context, measured, besides);
  if (files.length === 0) return { rows: new Map(), notes: [] };
  onEvent({ type: 'stage', stage: 'latency', title: `timing ${files.map(({ name }) => name).join(', ')}` });
  const start = monotonicMs();
  const loadAverage = loadavg()[0]!;
  const options = { batchSizes: withTeachers(batchSizes, files), threads, sampleShape: data.train.sampleShape };
  const onProgress = progressOf(context, 'latency');
  const sources = files.map((file) => sourceOf(file, options));
  const result = places.includes('node')
    ? await measureLatency(sources, { budgetMs: 1000 * seconds, signal, onProgress })
    : { rows: [], skipped: [] };
  const memory = await peakMemory(files, result.rows, { sampleShape: options.sampleShape, signal, onProgress });
  // The teacher is not timed in runtimes of phones: only the student ships there.
  const students = files.filter(({ name }) => name !== nameOf(TEACHER));
  const plan = { ...options, batchSizes, title: recipe.name, seconds, signal };
  const elsewhere = signal?.aborted === true ? undefined : await measureElsewhere(places, students, plan);
  // A measurement that was told to stop returns few samples; a report of them would count as finished.
  if (elsewhere === undefined || signal?.aborted === true) throw new InterruptedError('stopped measuring the models');
  const here = result.rows.map((row) => {
    const memoryBytes = memory.get(describe(row));
    return { ...row, ...(memoryBytes !== undefined && { memoryBytes }) };
  });
  const took = (monotonicMs() - start) / 1000;
  await context.done('latency', took);
  return {
    rows: new Map(
      files.map(({ name }) => [
        name,
        [
          ...here.filter((row) => row.name === name).map(latencyRow),
          ...elsewhere.rows.filter(({ model }) => model === name).map(latencyRow),
        ],
      ]),
    ),
    measurement: {
      seconds: took,
      versions: libraryVersions(),
      cpuFeatures: cpuFeatures()?.flatMap(({ name, present }) => (present ? [name] : [])) ?? null,
      loadAverage,
    },
    notes: [...new Set([...result.skipped, ...elsewhere.skipped].map(noteOf))],
  };
}

/** Batch sizes of the recipe, and the fixed batch size of a teacher's file: timed at that size, a student can be compared with the teacher. */
function withTeachers(batchSizes: readonly number[], files: readonly TimedFile[]): readonly number[] {
  const teacher = files.find(({ name }) => name === nameOf(TEACHER));
  if (teacher === undefined) return batchSizes;
  const { inputs, initializers } = decodeModel(teacher.bytes, teacher.name).graph;
  const fed = inputs.filter(({ name }) => !initializers.some((stored) => stored.name === name));
  const batched = fed.filter(({ dims = [] }) => teacher.sampleShape?.length !== 3 || dims.length !== 3);
  const fixed = batched.map(({ dims }) => dims?.[0]).find((size) => typeof size === 'number');
  return fixed === undefined || batchSizes.includes(fixed) ? batchSizes : [...batchSizes, fixed];
}

function noteOf({ what, why }: Skipped): string {
  return `latency of ${what} was not measured: ${why}`;
}

/** Files to time, named by the id of the model: the exports of the run, and an ONNX teacher's original file. */
async function filesOf(
  { recipe, data }: Pick<StageContext, 'recipe' | 'data'>,
  measured: readonly MeasuredModels[],
  besides: readonly Besides[],
): Promise<TimedFile[]> {
  const files = measured.flatMap(({ exported }) => {
    if (exported === undefined || exported.model.repeat > 0) return [];
    const id = idOf(exported);
    const all = [{ name: id, bytes: exported.bytes }, besides.flatMap((files) => files.get(id) ?? [])].flat();
    return all.map(({ name, bytes }) => ({ name, format: `.${exported.format}`, bytes }));
  });
  const teacher = recipe.teacher?.onnx;
  const isOpened = measured.some(({ row, exported }) => row.model.role === 'teacher' && exported === undefined);
  if (teacher === undefined || !isOpened) return files;
  const sampleShape = shapeSeen(recipe.teacher ?? {}, data.train.sampleShape);
  return [{ name: nameOf(TEACHER), format: '.onnx', bytes: await readOnnx(teacher), sampleShape }, ...files];
}
