import path from 'node:path';
import { monotonicMs } from '../../base/clock.ts';
import { measureLatency } from '../../measure/latency/latency.ts';
import { sourceOf } from '../../measure/latency/variants.ts';
import type { TargetRecipe } from '../../recipe/schema/target.ts';
import type { FollowOptions } from '../begin.ts';
import type { MeasuredPoint } from '../../folder/search/points.ts';
import { distinct, pointId, pointsOf, shipped } from '../../folder/search/trials.ts';
import type { SearchTrial } from '../../folder/search/trials.ts';
import { readModelFile } from '../../files/onnx-file.ts';

/** Times the files of all trials side by side: latencies that a machine gave at different times cannot be compared. */
export async function timed(
  trials: readonly SearchTrial[],
  folder: string,
  target: TargetRecipe,
  { onEvent, signal }: FollowOptions,
): Promise<{ points: MeasuredPoint[]; seconds: number; notes: string[] }> {
  const start = monotonicMs();
  const { batchSize, threads, runtime } = target;
  // Eight files get the time that the recipe grants to all files of a run.
  const perFileMs = (1000 * trials[0]!.loaded.recipe.report.latency.seconds) / 8;
  const sources = [];
  onEvent({ type: 'stage', stage: 'search', title: 'timing all candidates side by side' });
  for (const trial of trials) {
    const { sampleShape } = trial.report.dataset;
    for (const row of shipped(trial.report, target)) {
      const bytes = await readModelFile(path.join(folder, 'search', trial.run, row.file!));
      const file = { name: pointId(trial.run, row.id), format: `.${row.format}`, bytes };
      sources.push(sourceOf(file, { batchSizes: [batchSize], threads: [threads], sampleShape, runtime }));
    }
  }
  const { rows, skipped } = await measureLatency(sources, { budgetMs: perFileMs * sources.length, signal });
  const latency = new Map(rows.map((row) => [row.name, row]));
  const points = distinct(trials.flatMap((trial) => pointsOf(trial, target))).flatMap((point): MeasuredPoint[] => {
    const figures = latency.get(point.id);
    // Without a common measurement the trial's own latencies, measured at another time, are not used either.
    if (figures === undefined) return [];
    const { p50Ms, p95Ms } = figures;
    return [{ ...point, p50Ms, p95Ms }];
  });
  const notes = skipped.map(({ what, why }) => `the search leaves out ${what}: ${why}`);
  return { points, seconds: (monotonicMs() - start) / 1000, notes };
}
