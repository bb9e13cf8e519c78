import type { ScoreData } from '../base/events.ts';
import { decimals, digits, percent } from '../base/numbers.ts';

/** The figure that a task is judged by: it chooses epochs and students, and limits and verdicts are given in it. */
export interface Score {
  readonly name: string;
  /** True if it is the share of samples with a right answer, which is said without the name of the score. */
  readonly isShareRight: boolean;
  /** The name behind that of a split in the head of a table: ` RMSE`. */
  readonly heading: string;
  /** `fraction`: from 0 to 1; `label`: in the units of the label; `nats`: a logarithm. */
  readonly unit: 'fraction' | 'label' | 'nats';
  readonly better: 'higher' | 'lower';
  /** Text for messages, such as `93.40 %` or `54.2`. */
  readonly text: (value: number) => string;
  /** Text of a difference of two scores, such as `+0.40 points`. */
  readonly change: (difference: number) => string;
  /** Predicate of a sentence about a model, such as `right on 93.40 % of 200 validation samples`. */
  readonly said: (value: number, samples: string, digits?: number) => string;
  /** Ends of a chart's axis. */
  readonly bounds: readonly [number, number];
  /** Smallest relevant gain: a share of the twin's score; for accuracy, a difference. */
  readonly smallestGain: (score: number) => number;
  /** Deviation of a score due to the size of the split, if the score moves in steps of one sample: that of a uniform error of one step. */
  readonly grain: (samples: number) => number;
  /** Loss that `maxDrop` limits, see `lossText`. Negative if the second score is better. */
  readonly lost: (before: number, after: number) => number;
  /** Score after this loss; the inverse of `lost`. */
  readonly after: (before: number, lost: number) => number;
  /** Text of `lost` relative to another model's score, such as `1.20 points below`. */
  readonly dropText: (lost: number) => string;
  /** Text of `lost`, such as `1.20 points of validation accuracy`. */
  readonly lossText: (lost: number) => string;
}

/** True if `score` is better than `than`. */
export function isBetter({ better }: Pick<Score, 'better'>, score: number, than: number): boolean {
  return better === 'higher' ? score > than : score < than;
}

/** Gain of a score over another; positive is better, whatever the direction of the score. */
export function gainOf({ better }: Pick<Score, 'better'>, score: number, than: number): number {
  return better === 'higher' ? score - than : than - score;
}

function points(fraction: number): string {
  const text = decimals(100 * fraction, 2);
  return `${text.startsWith('-') ? '' : '+'}${text} points`;
}

/** A score from 0 to 1, with drops in percentage points. */
function share({ name, isShareRight: isRight, bounds = [0, 1] }: ScoreData): Score {
  const isShareRight = isRight === true;
  const at = `at ${/^[aeiou]/i.test(name) ? 'an' : 'a'} ${name} of`;
  return {
    name,
    isShareRight,
    heading: isShareRight ? '' : ` ${name}`,
    unit: 'fraction',
    better: 'higher',
    text: (value) => percent(value),
    change: points,
    said: (value, samples, digits) =>
      isShareRight
        ? `right on ${percent(value, digits)} of ${samples}`
        : `${at} ${percent(value, digits)} on ${samples}`,
    bounds,
    smallestGain: () => 0.001,
    grain: (samples) => Math.sqrt(1 / 12) / samples,
    lost: (before, after) => 100 * (before - after),
    after: (before, lost) => before - lost / 100,
    dropText: (lost) => `${decimals(lost, 2)} points below`,
    lossText: (lost) => `${decimals(lost, 2)} points of validation ${name}`,
  };
}

/** A score from 0 without a bound, of which lower is better; drops are in percent of it. */
function error({ name, unit, bounds = [0, Infinity] }: ScoreData): Score {
  return {
    name,
    isShareRight: false,
    heading: ` ${name}`,
    unit,
    better: 'lower',
    text: digits,
    change: (difference) => `${difference >= 0 ? '+' : '-'}${digits(Math.abs(difference))}`,
    said: (value, samples) =>
      unit === 'label'
        ? `off by ${digits(value)} (${name}) on ${samples}`
        : `at a ${name} of ${digits(value)} on ${samples}`,
    bounds,
    smallestGain: (score) => 0.001 * score,
    grain: () => 0,
    lost: (before, after) => (after === before ? 0 : 100 * (after / before - 1)),
    after: (before, lost) => before * (1 + lost / 100),
    dropText: (lost) => `${decimals(lost, 2)} % above`,
    lossText: (lost) => `${decimals(lost, 2)} % of validation ${name}`,
  };
}

/** Texts and directions of a score. */
export function scoreFrom(data: ScoreData): Score {
  return data.unit === 'fraction' ? share(data) : error(data);
}

/** Share of samples with a right answer. */
export const accuracyScore = scoreFrom({ name: 'accuracy', unit: 'fraction', isShareRight: true });

/** Sentence on a score if another model's answers stand in for labels. */
export function againstText(score: Score, value: number, by: string, samples: string): string {
  if (score.isShareRight) return `gives the class that ${by} gives on ${score.text(value)} of ${samples}`;
  return `${score.name} ${score.text(value)} against the answers of ${by} on ${samples}`;
}
