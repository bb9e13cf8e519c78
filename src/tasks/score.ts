import { decimals, digits, percent } from '../base/numbers.ts';
import type { ChosenScore } from '../recipe/answer-forms.ts';
import type { TaskName } from '../recipe/task.ts';

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
function share(name: string, said: Score['said'], isShareRight = false): Score {
  return {
    ...{
      name,
      said,
      isShareRight,
      heading: isShareRight ? '' : ` ${name}`,
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

/** Share of samples with a right answer. */
export const accuracyScore = share(
  'accuracy',
  (value, samples, digits) => `right on ${percent(value, digits)} of ${samples}`,
  true,
);

/** F1 of each label at a probability of 0.5, mean over the labels. */
export const f1Score = share(
  'macro F1',
  (value, samples, digits) => `at a macro F1 of ${percent(value, digits)} on ${samples}`,
);

/** Micro-averaged F1 of entities: a right entity has the type and all words of a true one. */
export const entityF1Score = share(
  'entity F1',
  (value, samples, digits) => `at an entity F1 of ${percent(value, digits)} on ${samples}`,
);

/** Mean intersection over union of the classes, over all pixels of the set. */
export const meanIouScore = share(
  'mean IoU',
  (value, samples, digits) => `at a mean IoU of ${percent(value, digits)} on ${samples}`,
);

/** Mean average precision of boxes by COCO's rules: over classes, and over intersections over union of 0.50 to 0.95. */
export const apScore = share('mAP', (value, samples, digits) => `at a mAP of ${percent(value, digits)} on ${samples}`);

/**
 * Recall at rank 1: share of samples whose nearest other sample is of the same class; without classes, whose nearest is one of the ten nearest by the
 * vectors that stand in for labels.
 */
export const recallScore = share(
  'recall@1',
  (value, samples, digits) => `at a recall@1 of ${percent(value, digits)} on ${samples}`,
);

/** Spearman's correlation of the cosines of pairs with their similarities, from -1 to 1. */
export const spearmanScore: Score = {
  ...share('Spearman', (value, samples, digits) => `at a Spearman of ${percent(value, digits)} on ${samples}`),
  bounds: [-1, 1],
};

/** Area under the ROC curve, of several classes the mean over each against the others. */
export const aucScore = share(
  'ROC AUC',
  (value, samples, digits) => `at a ROC AUC of ${percent(value, digits)} on ${samples}`,
);

/** A score from 0 without a bound, of which lower is better, with drops in percent of it. */
function error(name: string, unit: Score['unit'], said: Score['said']): Score {
  return {
    ...{ name, said, unit, isShareRight: false, heading: ` ${name}`, better: 'lower', text: digits },
    bounds: [0, Infinity],
    change: (difference) => `${difference >= 0 ? '+' : '-'}${digits(Math.abs(difference))}`,
    smallestGain: (score) => 0.001 * score,
    grain: () => 0,
    lost: (before, after) => (after === before ? 0 : 100 * (after / before - 1)),
    after: (before, lost) => before * (1 + lost / 100),
    dropText: (lost) => `${decimals(lost, 2)} % above`,
    lossText: (lost) => `${decimals(lost, 2)} % of validation ${name}`,
  };
}

/** Root mean squared error in the label's units, mean over the numbers. */
export const rmseScore = error('RMSE', 'label', (value, samples) => `off by ${digits(value)} (RMSE) on ${samples}`);

/** Mean of -log of the probability of the true class. */
export const logLossScore = error(
  'log loss',
  'nats',
  (value, samples) => `at a log loss of ${digits(value)} on ${samples}`,
);

/** Sentence on a score if another model's answers stand in for labels. */
export function againstText(score: Score, value: number, by: string, samples: string): string {
  if (score.isShareRight) return `gives the class that ${by} gives on ${score.text(value)} of ${samples}`;
  return `${score.name} ${score.text(value)} against the answers of ${by} on ${samples}`;
}

const scores: Readonly<Record<TaskName, Score>> = {
  classification: accuracyScore,
  regression: rmseScore,
  'multi-label': f1Score,
  tagging: entityF1Score,
  segmentation: meanIouScore,
  detection: apScore,
  embedding: recallScore,
  'sentence-similarity': spearmanScore,
};

const chosen: Readonly<Record<ChosenScore, Score>> = {
  accuracy: accuracyScore,
  'roc-auc': aucScore,
  'macro-f1': f1Score,
  'log-loss': logLossScore,
};

/** The score of a task by the task's name; of classes the one that a recipe chooses, by its key or the name that a report has of it. */
export function scoreOfTask(task: TaskName = 'classification', name?: string): Score {
  if (task !== 'classification') return scores[task];
  const found = Object.entries(chosen).find(([key, score]) => name === key || name === score.name);
  return found?.[1] ?? scores[task];
}
