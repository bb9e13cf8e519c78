import { decimals, digits, percent } from '../base/numbers.ts';
import type { TaskName } from '../recipe/task.ts';

/** The figure that a task is judged by: epochs and students are chosen by it, limits and verdicts are given in it. */
export interface Score {
  readonly name: string;
  /** `fraction`: from 0 to 1; `label`: in the units of the label. */
  readonly unit: 'fraction' | 'label';
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
  /** The score that loses so much; the inverse of `lost`. */
  readonly after: (before: number, lost: number) => number;
  /** `lost` beside another model's score, e.g. `1.20 points below`. */
  readonly dropText: (lost: number) => string;
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
  const text = decimals(100 * fraction, 2);
  return `${text.startsWith('-') ? '' : '+'}${text} points`;
}

/** A score from 0 to 1, of which drops are in percentage points. */
function share(name: string, said: Score['said']): Score {
  return {
    ...{
      name,
      said,
      unit: 'fraction',
      better: 'higher',
      text: (value) => percent(value),
      change: points,
      bounds: [0, 1],
    },
    smallestGain: () => 0.001,
    grain: (samples) => Math.sqrt(1 / 12) / samples,
    lost: (before, after) => 100 * (before - after),
    after: (before, lost) => before - lost / 100,
    dropText: (lost) => `${decimals(lost, 2)} points below`,
    lossText: (lost) => `${decimals(lost, 2)} points of validation ${name}`,
  };
}

/** Share of the samples that are right. */
export const accuracyScore = share(
  'accuracy',
  (value, samples, digits) => `right on ${percent(value, digits)} of ${samples}`,
);

/** F1 of each label at a probability of 0.5, mean over the labels. */
export const f1Score = share(
  'macro F1',
  (value, samples, digits) => `at a macro F1 of ${percent(value, digits)} on ${samples}`,
);

/** F1 of entities, micro-averaged: right ones have the type and all words of a true one. */
export const entityF1Score = share(
  'entity F1',
  (value, samples, digits) => `at an entity F1 of ${percent(value, digits)} on ${samples}`,
);

/** Root of the mean squared error in the label's units, mean over the numbers; drops are in percent of it. */
export const rmseScore: Score = {
  ...{ name: 'RMSE', unit: 'label', better: 'lower', text: digits, bounds: [0, Infinity] },
  change: (difference) => `${difference >= 0 ? '+' : '-'}${digits(Math.abs(difference))}`,
  said: (value, samples) => `off by ${digits(value)} (RMSE) on ${samples}`,
  smallestGain: (score) => 0.001 * score,
  grain: () => 0,
  lost: (before, after) => (after === before ? 0 : 100 * (after / before - 1)),
  after: (before, lost) => before * (1 + lost / 100),
  dropText: (lost) => `${decimals(lost, 2)} % above`,
  lossText: (lost) => `${decimals(lost, 2)} % of validation RMSE`,
};

/** A score where the answers of another model stand in for labels. */
export function againstText(score: Score, value: number, by: string, samples: string): string {
  if (score.name === 'accuracy') return `gives the class that ${by} gives on ${score.text(value)} of ${samples}`;
  return `${score.name} ${score.text(value)} against the answers of ${by} on ${samples}`;
}

const scores: Readonly<Record<TaskName, Score>> = {
  classification: accuracyScore,
  regression: rmseScore,
  'multi-label': f1Score,
  tagging: entityF1Score,
};

/** The score of a task, for whoever has only its name. */
export function scoreOfTask(task: TaskName = 'classification'): Score {
  return scores[task];
}
