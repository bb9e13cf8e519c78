import path from 'node:path';
import type { LoadedRecipe } from '../../recipe/load.ts';
import type { Report } from '../../report/types.ts';
import { writtenReport } from '../report/finished.ts';
import { factsOf, stoppedReport } from '../report/report-frame.ts';
import type { StoppedFindings } from '../report/report-frame.ts';
import { pickOf } from './points.ts';
import { candidatesOf, candidateRecipe, runOf, shareOf } from './space.ts';
import { summary } from './summary.ts';
import { distinct, judgeOf, pointsOf, secondsOf } from './trials.ts';
import type { SearchTrial } from './trials.ts';

/** The finished trials of a search, in order, from their folders. */
export async function finishedTrials(loaded: LoadedRecipe, folder: string): Promise<SearchTrial[]> {
  const target = loaded.recipe.target!;
  const trials: SearchTrial[] = [];
  for (let round = 0; round < target.rounds; round++) {
    for (const candidate of candidatesOf(target)) {
      const run = runOf(candidate, round);
      const report = await writtenReport(path.join(folder, 'search', run));
      if (report?.status !== 'complete') continue;
      trials.push({
        candidate,
        run,
        report,
        loaded: candidateRecipe(loaded, candidate, shareOf(round, target.rounds), target),
      });
    }
  }
  return trials;
}

/**
 * The report of a stopped search: the points of finished trials, with latencies from their own runs, the models of the best trial, and the omissions
 * of all. Without finished trials, the models of the unfinished one.
 */
export function stoppedSearch(
  { recipe, written }: LoadedRecipe,
  trials: readonly SearchTrial[],
  underWay: { readonly run: string; readonly report: Report } | undefined,
  stopped: StoppedFindings['stopped'],
): Report {
  const target = recipe.target!;
  const points = distinct(trials.flatMap((trial) => pointsOf(trial, target)));
  const judge = judgeOf(recipe, trials);
  const pick = pickOf(points, judge);
  const best = pick && trials.find(({ run }) => run === pick.run);
  const wallSeconds = secondsOf(trials) + (underWay?.report.wallSeconds ?? 0);
  const { status, stage, reason } = stopped;
  const nothing = { written, wallSeconds, training: [], models: [], stopped };
  const shown = best ?? underWay;
  const base = shown?.report ?? stoppedReport(recipe, factsOf({ recipe }), nothing);
  const search = pick && summary(points, pick, target, judge);
  const at = base.models.findIndex(({ id }) => id === pick?.model);
  const notes = trials.flatMap(({ run, report }) => report.notes.map((note) => `${run}: ${note}`));
  return {
    ...base,
    status,
    stopped: { stage, reason },
    recipe: written,
    wallSeconds,
    parity: [],
    // Files stay in the folders of their trials until the search is finished.
    models: base.models
      .slice(0, best === undefined ? undefined : at + 1)
      .map((row) => ({ ...row, file: row.file && `search/${shown!.run}/${row.file}` })),
    ...(search && {
      search: { ...search, sentence: `before it stopped, ${search.sentence}` },
    }),
    notes: best === undefined ? base.notes : notes,
  };
}
