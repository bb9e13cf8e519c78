import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { monotonicMs } from '../../base/clock.ts';
import { readBytes, writeFileAtomic } from '../../base/files.ts';
import { measureLatency } from '../../measure/latency.ts';
import { sourceOf } from '../../measure/variants.ts';
import type { LoadedRecipe } from '../../recipe/load.ts';
import type { TargetRecipe } from '../../recipe/schema/target.ts';
import { reportFiles } from '../../report/files.ts';
import type { ModelRow, Report, Search } from '../../report/types.ts';
import type { OnEvent } from '../events.ts';
import { writtenReport } from '../finished.ts';
import { follow } from '../follow.ts';
import type { Stages } from '../follow.ts';
import type { RunOptions } from '../options.ts';
import { excessOf, paretoSet, pickOf, survivors } from './points.ts';
import type { Point } from './points.ts';
import { candidatesOf, recipeOf, shareOf } from './space.ts';
import type { Candidate } from './space.ts';

type SearchOptions = RunOptions & { readonly onEvent: OnEvent };

interface Trial {
  readonly candidate: Candidate;
  readonly loaded: LoadedRecipe;
  readonly run: string;
  readonly report: Report;
}

/**
 * Find the student that is best within the budget of `target`, by successive halving (Jamieson and Talwalkar 2016,
 * "Non-stochastic best arm identification"): every candidate is distilled, pruned and quantized with few epochs, the better
 * half again with twice as many, and so on. Each candidate of each round is a run of its own in `search/` of the run's
 * folder, so a search that was stopped goes on where it was. The test split is looked at once, for the pick.
 */
export async function searchBudget(
  loaded: LoadedRecipe,
  folder: string,
  options: SearchOptions,
  stages: Stages,
): Promise<Report> {
  const target = loaded.recipe.target!;
  const trials = await halve(loaded, folder, target, options, stages);
  const teacher = teacherAccuracy(trials);
  const { points, seconds } = await timed(trials, folder, target, options);
  const pick = pickOf(points, target, teacher);
  if (pick === undefined) throw new Error('a search without points');
  const search = summary(points, pick, target, teacher);
  options.onEvent({ type: 'message', message: search.sentence });

  const trial = trials.find(({ run }) => pick.id.startsWith(`${run}/`))!;
  const final = await follow(
    trial.loaded,
    path.join(folder, 'search', trial.run),
    { ...options, shared: folder },
    stages,
  );
  const wallSeconds = trials.reduce((sum, { report }) => sum + report.wallSeconds, seconds);
  // What the pick was made from stands before it; what was made of it further on was not picked.
  const at = final.models.findIndex(({ id }) => pick.id === `${trial.run}/${id}`);
  const models = final.models.slice(0, at + 1);
  const parity = final.parity.filter(({ file }) => models.some((row) => row.file === file));
  const report = { ...final, models, parity, recipe: loaded.written, wallSeconds, search };
  await copyModels(models, path.join(folder, 'search', trial.run), folder);
  for (const [name, content] of reportFiles(report)) await writeFileAtomic(path.join(folder, name), content);
  return report;
}

async function halve(
  loaded: LoadedRecipe,
  folder: string,
  target: TargetRecipe,
  options: SearchOptions,
  stages: Stages,
): Promise<Trial[]> {
  const all: Trial[] = [];
  let candidates = candidatesOf(target);
  // What cannot be built is found out before anything is trained.
  for (const candidate of candidates) recipeOf(loaded, candidate, 1, target);
  for (let round = 0; round < target.rounds; round++) {
    const share = shareOf(round, target.rounds);
    const trials: Trial[] = [];
    for (const [i, candidate] of candidates.entries()) {
      const run = `${nameOf(candidate)}-round-${round + 1}`;
      const what = `width ${candidate.width}, ${percent(candidate.amount)} of the MACs pruned`;
      const place = `${i + 1} of ${candidates.length} in round ${round + 1} of ${target.rounds}`;
      options.onEvent({ type: 'message', message: `search: ${what} (${place})` });
      const own = recipeOf(loaded, candidate, share, target);
      trials.push({ candidate, loaded: own, run, report: await runTrial(own, folder, run, options, stages) });
    }
    all.push(...trials);
    const groups = new Map(trials.map((trial) => [trial.candidate, pointsOf(trial, target)]));
    candidates = survivors(groups, target, teacherAccuracy(trials));
  }
  return all;
}

/** One candidate in a folder of its own; one that is done is not done again. */
async function runTrial(
  loaded: LoadedRecipe,
  folder: string,
  run: string,
  options: SearchOptions,
  stages: Stages,
): Promise<Report> {
  const own = path.join(folder, 'search', run);
  const before = await writtenReport(own);
  if (before?.status === 'complete') return before;
  await mkdir(own, { recursive: true });
  const stored = { base: loaded.base, recipe: loaded.written };
  await writeFileAtomic(path.join(own, 'recipe.json'), `${JSON.stringify(stored, null, 2)}\n`);
  return follow(loaded, own, { ...options, shared: folder, withoutTest: true }, stages);
}

function nameOf({ width, amount }: Candidate): string {
  return `width-${width}-pruned-${amount}`;
}

function teacherAccuracy(trials: readonly Trial[]): number | undefined {
  const row = trials[0]?.report.models.find(({ id }) => id === 'teacher');
  return row?.accuracy.validation ?? undefined;
}

/** The files of a trial that the target's runtime runs. Its own latency, measured in its run, stands until all are timed. */
function pointsOf({ candidate, loaded, run, report }: Trial, target: TargetRecipe): Point[] {
  const { width, amount } = candidate;
  const { epochs } = loaded.recipe.distill;
  return shipped(report, target).flatMap((row): Point[] => {
    const latency = row.latency.find(
      ({ runtime, batchSize, threads }) =>
        runtime === target.runtime && batchSize === target.batchSize && threads === target.threads,
    );
    const { id, precision, params, sizeBytes, accuracy } = row;
    if (latency === undefined || accuracy.validation === null) return [];
    const isPruned = id.startsWith('pruned');
    const figures = { precision, params, sizeBytes, validation: accuracy.validation };
    const { p50Ms, p95Ms } = latency;
    return [{ id: `${run}/${id}`, width, amount: isPruned ? amount : 0, epochs, ...figures, p50Ms, p95Ms }];
  });
}

function shipped({ models }: Report, { runtime }: TargetRecipe): ModelRow[] {
  const format = runtime === 'onnxruntime' ? 'onnx' : 'tflite';
  return models.filter((row) => row.id !== 'teacher' && row.file !== null && row.format === format);
}

/** All files of all trials side by side: figures from different minutes of a machine cannot be compared. */
async function timed(
  trials: readonly Trial[],
  folder: string,
  target: TargetRecipe,
  { onEvent, signal }: SearchOptions,
): Promise<{ points: Point[]; seconds: number }> {
  const start = monotonicMs();
  const { batchSize, threads, runtime } = target;
  // As much for eight files as other runs have for all of theirs.
  const perFileMs = (1000 * trials[0]!.loaded.recipe.report.latency.seconds) / 8;
  const points: Point[] = [];
  const sources = [];
  onEvent({ type: 'stage', stage: 'search', title: 'timing all candidates side by side' });
  for (const trial of trials) {
    const { sampleShape } = trial.report.dataset;
    for (const row of shipped(trial.report, target)) {
      const bytes = await readBytes(path.join(folder, 'search', trial.run, row.file!));
      const file = { name: `${trial.run}/${row.id}`, format: `.${row.format}`, bytes };
      sources.push(sourceOf(file, { batchSizes: [batchSize], threads: [threads], sampleShape, runtime }));
    }
  }
  const { rows } = await measureLatency(sources, { budgetMs: perFileMs * sources.length, signal });
  const latency = new Map(rows.map((row) => [row.name, row]));
  for (const trial of trials) {
    for (const point of pointsOf(trial, target)) {
      const { p50Ms, p95Ms } = latency.get(point.id) ?? point;
      // Before it is pruned, a candidate is the one that is not pruned.
      if (!points.some((other) => isSame(point, other))) points.push({ ...point, p50Ms, p95Ms });
    }
  }
  return { points, seconds: (monotonicMs() - start) / 1000 };
}

function isSame(a: Point, b: Point): boolean {
  return a.width === b.width && a.amount === b.amount && a.precision === b.precision && a.epochs === b.epochs;
}

function summary(points: readonly Point[], pick: Point, target: TargetRecipe, teacher: number | undefined): Search {
  const front = new Set(paretoSet(points));
  const excess = excessOf(pick, target, teacher);
  const { runtime, batchSize, threads, p95Ms, sizeKb, maxDrop } = target;
  const budget = {
    ...(p95Ms !== undefined && { p95Ms }),
    ...(sizeKb !== undefined && { sizeKb }),
    ...(maxDrop !== undefined && { maxDrop }),
  };
  return {
    target: { runtime, batchSize, threads, ...budget },
    points: points.map((point) => ({
      ...point,
      onFront: front.has(point),
      withinBudget: excessOf(point, target, teacher) <= 0,
    })),
    pick: pick.id,
    withinBudget: excess <= 0,
    sentence: sentenceOf(points, pick, target, teacher),
  };
}

function sentenceOf(points: readonly Point[], pick: Point, target: TargetRecipe, teacher: number | undefined): string {
  const drop =
    teacher === undefined ? '' : `, ${(100 * (teacher - pick.validation)).toFixed(2)} points below the teacher`;
  const figures =
    `${(100 * pick.validation).toFixed(2)} % on the validation split${drop}, ` +
    `95 % of calls within ${pick.p95Ms.toPrecision(3)} ms, ${(pick.sizeBytes / 1000).toFixed(1)} kB`;
  const excess = excessOf(pick, target, teacher);
  return excess <= 0
    ? `the best of ${points.length} measured students within the budget is ${pick.id}: ${figures}`
    : `none of ${points.length} measured students is within the budget; ${pick.id} comes closest, over it by ${percent(excess)}: ${figures}`;
}

async function copyModels(models: readonly ModelRow[], from: string, to: string): Promise<void> {
  for (const { file } of models) {
    if (file === null) continue;
    await mkdir(path.dirname(path.join(to, file)), { recursive: true });
    await copyFile(path.join(from, file), path.join(to, file));
  }
}

function percent(fraction: number): string {
  return `${Number((100 * fraction).toPrecision(3))} %`;
}
