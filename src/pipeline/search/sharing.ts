import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { readBytes, writeFileAtomic } from '../../base/files.ts';
import { stageOf, TEACHER } from '../../report/artifact.ts';
import { stateOf } from '../checkpoint.ts';
import type { Trial } from './trials.ts';

/** The first trial that comes to these stages does them for all: they are in the folder of the search. */
const OF_ALL: readonly string[] = [stageOf(TEACHER), 'answers'];
/** What trials of one width and one number of epochs have in common: they differ in what comes after it. */
const TRAINING = stageOf({ role: 'distilled', repeat: 0 });

/** The trial among `earlier` ones whose student has been trained just as that of `trial` will be. */
export function twinOf(
  { candidate, loaded }: Pick<Trial, 'candidate' | 'loaded'>,
  earlier: readonly Trial[],
): Trial | undefined {
  const { epochs } = loaded.recipe.distill;
  return earlier.find(
    (other) => other.candidate.width === candidate.width && other.loaded.recipe.distill.epochs === epochs,
  );
}

/**
 * Let a trial begin where its twin's training ended: its folder gets the saved states, from which the training goes on as
 * after a stop, with nothing left to do. A trial that has begun keeps its own.
 */
export async function takeTraining(from: string, to: string): Promise<void> {
  if ((await trainingStates(to)).length > 0) return;
  for (const name of await trainingStates(from))
    await writeFileAtomic(path.join(to, 'state', name), await readBytes(path.join(from, 'state', name)));
}

async function trainingStates(folder: string): Promise<string[]> {
  const names = await readdir(path.join(folder, 'state')).catch(() => []);
  return names.filter((name) => stateOf(name)?.stage === TRAINING).sort();
}

/** Working time of `trials` in their order. Their reports count again what an earlier one has done for them. */
export function secondsOf(trials: readonly Trial[]): number {
  return trials.reduce((sum, trial, i) => {
    const isOfTwin = twinOf(trial, trials.slice(0, i)) !== undefined;
    const again = (trial.report.stages ?? []).filter(
      ({ stage }) => (i > 0 && OF_ALL.includes(stage)) || (isOfTwin && stage === TRAINING),
    );
    return sum + again.reduce((left, { seconds }) => left - seconds, trial.report.wallSeconds);
  }, 0);
}
