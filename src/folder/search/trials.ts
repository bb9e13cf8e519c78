import type { LoadedRecipe } from '../../recipe/load.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { TargetRecipe } from '../../recipe/schema/target.ts';
import type { LatencyRow, ModelRow, Report } from '../../report/types.ts';
import { scoreOfTask } from '../../tasks/registry.ts';
import type { Judge, MeasuredPoint } from './points.ts';
import type { Candidate } from './space.ts';

/** Result of a candidate in a round. */
export interface SearchTrial {
  readonly candidate: Candidate;
  readonly loaded: LoadedRecipe;
  /** Name of its folder in `search/`. */
  readonly run: string;
  readonly report: Report;
}

/** The earlier trial whose student was trained exactly as that of `trial` will be. */
export function twinOf(
  { candidate, loaded }: Pick<SearchTrial, 'candidate' | 'loaded'>,
  earlier: readonly SearchTrial[],
): SearchTrial | undefined {
  const { epochs } = loaded.recipe.distill;
  return earlier.find(
    (other) => other.candidate.width === candidate.width && other.loaded.recipe.distill.epochs === epochs,
  );
}

/** Limits and score by which the files of these trials are judged. */
export function judgeOf(
  { dataset, target }: Pick<Recipe, 'dataset' | 'target'>,
  trials: readonly SearchTrial[],
): Judge {
  const row = trials[0]?.report.models.find(({ model }) => model.role === 'teacher');
  return {
    budget: target!,
    score: scoreOfTask(dataset.task, dataset.score),
    teacher: row?.score.validation ?? undefined,
  };
}

/** Points of a trial's files for the target's runtime. Their latencies are from the trial's own run, until all are timed together. */
export function pointsOf({ candidate, loaded, run, report }: SearchTrial, target: TargetRecipe): MeasuredPoint[] {
  const { width, amount } = candidate;
  const { epochs } = loaded.recipe.distill;
  return shipped(report, target).flatMap((row): MeasuredPoint[] => {
    const latency = latencyOf(row, target);
    const { id: model, precision, params, sizeBytes, score } = row;
    if (latency === undefined || score.validation === null) return [];
    const isPruned = row.model.role === 'pruned';
    const figures = { precision, params, sizeBytes, validation: score.validation };
    const { p50Ms, p95Ms } = latency;
    const made = { id: pointId(run, model), run, model, width, amount: isPruned ? amount : 0, epochs };
    return [{ ...made, ...figures, p50Ms, p95Ms }];
  });
}

export function pointId(run: string, model: string): string {
  return `${run}/${model}`;
}

/** Latency of a model in the target's setting. */
export function latencyOf({ latency }: ModelRow, target: TargetRecipe): LatencyRow | undefined {
  return latency.find(
    ({ runtime, batchSize, threads }) =>
      runtime === target.runtime && batchSize === target.batchSize && threads === target.threads,
  );
}

/** Files of a trial for the target's runtime. */
export function shipped({ models }: Report, { runtime }: TargetRecipe): ModelRow[] {
  const format = runtime === 'onnxruntime' ? 'onnx' : 'tflite';
  return models.filter((row) => row.model.role !== 'teacher' && row.file !== null && row.format === format);
}

/** Removes duplicates: a pruning candidate of amount 0 is the unpruned student itself. */
export function distinct(points: readonly MeasuredPoint[]): MeasuredPoint[] {
  // Models are named by their step of `quantize`: several steps may have the same precision.
  const keyOf = ({ model, width, amount, epochs }: MeasuredPoint): string => [model, width, amount, epochs].join();
  const seen = new Map<string, MeasuredPoint>();
  for (const point of points) if (!seen.has(keyOf(point))) seen.set(keyOf(point), point);
  return [...seen.values()];
}

/** Total working time of `trials`; shared work is counted once. */
export function secondsOf(trials: readonly SearchTrial[]): number {
  return trials.reduce((sum, { report }) => sum + report.wallSeconds, 0);
}
