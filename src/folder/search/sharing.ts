import { stageOf } from '../../report/artifact.ts';
import { giveStates } from '../given.ts';
import type { Trial } from './trials.ts';

/** The stage that trials of one width and one number of epochs have in common: they differ in what comes after. */
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
  await giveStates(TRAINING, from, to);
}

/** Working time of `trials`: each counts what it has done itself. */
export function secondsOf(trials: readonly Trial[]): number {
  return trials.reduce((sum, { report }) => sum + report.wallSeconds, 0);
}
