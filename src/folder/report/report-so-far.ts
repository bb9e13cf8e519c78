import path from 'node:path';
import { exists, readText } from '../../base/files.ts';
import type { LoadedRecipe } from '../../recipe/load.ts';
import type { Report } from '../../report/types.ts';
import { writtenReport } from './finished.ts';
import { storedRecipe } from '../folder.ts';
import { ownFile } from '../own-file.ts';
import { factsOf, stagesOf, stoppedReport } from './report-frame.ts';
import type { RunFacts, StoppedFindings } from './report-frame.ts';
import { finishedTrials, stoppedSearch } from '../search/stopped.ts';
import { curvesOf, modelsSoFar } from './stopped.ts';
import { openStores } from '../states/stores.ts';

/**
 * The report of a run that has not written one, because it was killed or is still running: from its ledger, saved states and log. Undefined if it has
 * no results yet.
 */
export async function reportSoFar(folder: string): Promise<Report | undefined> {
  const loaded = await storedRecipe(folder);
  const { stage, trial } = await lastStage(folder);
  const stopped = { status: 'interrupted', stage, reason: 'it was killed, or is still going on' } as const;
  if (loaded.recipe.target === undefined) return fromLedger(loaded, folder, stopped);
  const trials = await finishedTrials(loaded, folder);
  const underWay =
    trial === undefined ? undefined : await trialSoFar(await ownFile(folder, path.join('search', trial)), stopped);
  if (trials.length === 0 && underWay === undefined) return undefined;
  const place = trial === undefined ? stage : `${trial}/${stage}`;
  return stoppedSearch(loaded, trials, underWay && { run: trial!, report: underWay }, { ...stopped, stage: place });
}

async function trialSoFar(folder: string, stopped: StoppedFindings['stopped']): Promise<Report | undefined> {
  const written = await writtenReport(folder);
  if (written !== undefined || !(await exists(path.join(folder, 'recipe.json')))) return written;
  return fromLedger(await storedRecipe(folder), folder, stopped);
}

async function fromLedger(
  { recipe, written }: LoadedRecipe,
  folder: string,
  stopped: StoppedFindings['stopped'],
): Promise<Report | undefined> {
  const { ledger, states } = await openStores(folder, () => undefined);
  const { rows, seconds: wallSeconds } = ledger;
  if (rows.length === 0) return undefined;
  const facts = ledger.find('data')?.notes['facts'] as RunFacts | undefined;
  return stoppedReport(recipe, facts ?? factsOf({ recipe }), {
    written,
    wallSeconds,
    stopped,
    training: await curvesOf(recipe, rows, { stage: stopped.stage, states: states(stopped.stage) }),
    stages: stagesOf(ledger),
    models: modelsSoFar(recipe, rows),
  });
}

interface Logged {
  readonly stage: string;
  readonly trial?: string;
}

/** The last stage in the log, whose last line may be incomplete after a kill. */
async function lastStage(folder: string): Promise<Logged> {
  const file = await ownFile(folder, 'log.jsonl');
  const lines = (await exists(file)) ? (await readText(file)).split('\n') : [];
  for (const line of lines.reverse()) {
    try {
      const { event, stage, trial } = JSON.parse(line) as Partial<Logged> & { readonly event?: string };
      if (event === 'stage' && typeof stage === 'string') return { stage, ...(typeof trial === 'string' && { trial }) };
    } catch {
      continue;
    }
  }
  return { stage: 'start' };
}
