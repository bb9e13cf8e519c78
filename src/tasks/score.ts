import { percent } from '../base/numbers.ts';

/** The figure that a task is judged by: epochs and students are chosen by it, limits and verdicts are given in it. */
export interface Score {
  readonly name: string;
  readonly better: 'higher' | 'lower';
  /** Text for people, e.g. `93.40 %` or `54.2`. */
  readonly text: (value: number) => string;
  /** A difference of two, e.g. `+0.40 points`. */
  readonly change: (difference: number) => string;
  /** Words for a sentence about a model, e.g. `right on 93.40 % of 200 validation samples`. */
  readonly said: (value: number, samples: string, digits?: number) => string;
  /** Ends of an axis. */
  readonly bounds: readonly [number, number];
  /** A gain below this share of the twin's score matters to nobody; of accuracy, a difference below this. */
  readonly smallestGain: (score: number) => number;
  /**
   * Deviation of a score that comes from the size of the split alone, where it moves in steps of one sample: that of a uniform error of one
   * step.
   */
  readonly grain: (samples: number) => number;
  /** Loss that `maxDrop` limits, see `lossText`. Negative where the second is better. */
  readonly lost: (before: number, after: number) => number;
  /** `lost` in words, e.g. `1.20 points of validation accuracy`. */
  readonly lossText: (lost: number) => string;
}

/** True if a score is better than another one. */
export function isBetter({ better }: Pick<Score, 'better'>, score: number, than: number): boolean {
  return better === 'higher' ? score > than : score < than;
}

/** Gain of a score over another one; positive is better, whichever direction the score has. */
export function gainOf({ better }: Pick<Score, 'better'>, score: number, than: number): number {
  return better === 'higher' ? score - than : than - score;
}

function points(fraction: number): string {
  const text = (100 * fraction).toFixed(2);
  return `${fraction >= 0 ? '+' : ''}${text} points`;
}

/** Share of the samples that are right; drops are in percentage points. */
export const accuracyScore: Score = {
  ...{ name: 'accuracy', better: 'higher', text: (value) => percent(value), change: points, bounds: [0, 1] },
  said: (value, samples, digits) => `right on ${percent(value, digits)} of ${samples}`,
  smallestGain: () => 0.001,
  grain: (samples) => Math.sqrt(1 / 12) / samples,
  lost: (before, after) => 100 * (before - after),
  lossText: (lost) => `${lost.toFixed(2)} points of validation accuracy`,
};

/** F1 of each label at a probability of 0.5, mean over the labels; drops are in percentage points. */
export const f1Score: Score = {
  ...{ name: 'macro F1', better: 'higher', text: (value) => percent(value), change: points, bounds: [0, 1] },
  said: (value, samples, digits) => `at a macro F1 of ${percent(value, digits)} on ${samples}`,
  smallestGain: () => 0.001,
  grain: (samples) => Math.sqrt(1 / 12) / samples,
  lost: (before, after) => 100 * (before - after),
  lossText: (lost) => `${lost.toFixed(2)} points of validation macro F1`,
};

/** Root of the mean squared error in the label's units, mean over the numbers; drops are in percent of it. */
export const rmseScore: Score = {
  ...{ name: 'RMSE', better: 'lower', text: figure, bounds: [0, Infinity] },
  change: (difference) => `${difference >= 0 ? '+' : '-'}${figure(Math.abs(difference))}`,
  said: (value, samples) => `off by ${figure(value)} (RMSE) on ${samples}`,
  smallestGain: (score) => 0.001 * score,
  grain: () => 0,
  lost: (before, after) => (after === before ? 0 : 100 * (after / before - 1)),
  lossText: (lost) => `${lost.toFixed(2)} % of validation RMSE`,
};

/** Four digits that say something. */
function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return Math.abs(value) >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(4)));
}
