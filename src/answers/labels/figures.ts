import { reliabilityOf } from '../classes/calibration.ts';
import { columnOf, meanOf } from '../../tasks/columns.ts';
import type { LabelReport } from './described.ts';

/** Figures of answers to samples with any number of labels; logits and labels are [samples, width], labels 0 or 1. */

/** Answers to some samples, and their labels. */
export interface Labelled {
  readonly answers: ArrayLike<number>;
  readonly targets: ArrayLike<number>;
}

/** Logit above which a label is given: a probability of 0.5. */
export const GIVEN = 0;

/** Number of bins in a label's reliability diagram. */
const BINS = 10;

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/**
 * F1 at a probability of 0.5, mean over the labels; a label that no sample has and none is given is left out, as scikit-learn's `zero_division=nan`
 * does.
 */
export function macroF1({ answers, targets }: Labelled, width: number): number {
  const all = Array.from({ length: width }, (_, c) => f1Of(columnOf(answers, c, width), columnOf(targets, c, width)));
  return meanOf(all) ?? 0;
}

/** Figures of each label. `tuning`: samples of the validation split, on which the thresholds with the best F1 are chosen. */
export function labelReport(of: Labelled, names: readonly string[], tuning?: Labelled): LabelReport {
  const width = names.length;
  const rows = names.map((name, c) => {
    const [logits, labels] = [columnOf(of.answers, c, width), columnOf(of.targets, c, width)];
    const cut = tuning && bestThreshold(columnOf(tuning.answers, c, width), columnOf(tuning.targets, c, width));
    return {
      name,
      samples: labels.filter((label) => label === 1).length,
      averagePrecision: averagePrecision(logits, labels),
      f1: f1Of(logits, labels),
      ...(cut !== undefined && { threshold: sigmoid(cut), f1AtThreshold: f1Of(logits, labels, cut) }),
      ...reliabilityOf(
        logits.map(sigmoid),
        labels.map((label) => label === 1),
        BINS,
      ),
    };
  });
  return {
    ece: meanOf(rows.map(({ ece }) => ece))!,
    meanAveragePrecision: meanOf(rows.map(({ averagePrecision: value }) => value)),
    rightDecisions: rightDecisions(of, width).reduce((sum, right) => sum + right, 0) / of.targets.length,
    rows,
  };
}

/** Number of right decisions of each sample over all labels, at a probability of 0.5. */
export function rightDecisions({ answers, targets }: Labelled, width: number): number[] {
  return Array.from({ length: targets.length / width }, (_, row) => {
    let right = 0;
    for (let at = row * width; at < (row + 1) * width; at++) if (answers[at]! > GIVEN === (targets[at] === 1)) right++;
    return right;
  });
}

/** F1: 2 · right / (given + true); null if no sample has the label and none is given it. */
export function f1Of(logits: readonly number[], labels: readonly number[], threshold = GIVEN): number | null {
  let [right, both] = [0, 0];
  logits.forEach((logit, i) => {
    const [given, isTrue] = [logit > threshold, labels[i] === 1];
    if (given && isTrue) right++;
    both += Number(given) + Number(isTrue);
  });
  return both === 0 ? null : (2 * right) / both;
}

/**
 * Average precision Σ (R_n - R_{n-1}) · P_n over the thresholds from the highest answer down, equal answers together (scikit-learn's sum, without
 * interpolation); null if no sample has the label.
 */
export function averagePrecision(logits: readonly number[], labels: readonly number[]): number | null {
  const positives = labels.filter((label) => label === 1).length;
  if (positives === 0) return null;
  let [sum, before] = [0, 0];
  for (const { right, given } of steps(logits, labels)) {
    // Divided at the end, so that a perfect ranking gives exactly 1.
    sum += (right - before) * (right / given);
    before = right;
  }
  return sum / positives;
}

/** Logit threshold with the best F1; undefined if no sample has the label. */
export function bestThreshold(logits: readonly number[], labels: readonly number[]): number | undefined {
  const positives = labels.filter((label) => label === 1).length;
  if (positives === 0) return undefined;
  let [best, found] = [-1, 0];
  for (const { right, given, logit, next } of steps(logits, labels)) {
    const f1 = (2 * right) / (given + positives);
    // Halfway to the next answer; after the last, a little below it.
    if (f1 > best) [best, found] = [f1, next === undefined ? logit - 1 : (logit + next) / 2];
  }
  return found;
}

/**
 * Probability that a sample with the label is ranked before one without, ties half (Mann & Whitney 1947), and its deviation for random answers;
 * undefined if all or none have the label.
 */
export function rankingOf(
  logits: readonly number[],
  labels: readonly number[],
): { readonly area: number; readonly deviation: number } | undefined {
  const positives = labels.filter((label) => label === 1).length;
  const negatives = labels.length - positives;
  if (positives === 0 || negatives === 0) return undefined;
  let [wins, before, givenBefore] = [0, 0, 0];
  for (const { right, given } of steps(logits, labels)) {
    const [own, others] = [right - before, given - givenBefore - (right - before)];
    const behind = negatives - (given - right);
    wins += own * (behind + others / 2);
    [before, givenBefore] = [right, given];
  }
  const pairs = positives * negatives;
  return { area: wins / pairs, deviation: Math.sqrt((labels.length + 1) / (12 * pairs)) };
}

interface Step {
  /** Number of samples with at least this answer that have the label, and number of all of them. */
  readonly right: number;
  readonly given: number;
  readonly logit: number;
  readonly next: number | undefined;
}

/** Steps of the threshold from the highest answer down, one for equal answers. */
function steps(logits: readonly number[], labels: readonly number[]): Step[] {
  const order = logits.map((_, i) => i).sort((a, b) => logits[b]! - logits[a]!);
  const found: Step[] = [];
  let right = 0;
  order.forEach((row, i) => {
    if (labels[row] === 1) right++;
    const [logit, next] = [logits[row]!, i + 1 < order.length ? logits[order[i + 1]!]! : undefined];
    if (next !== logit) found.push({ right, given: i + 1, logit, next });
  });
  return found;
}

/** Over the labels that only one model gives: the largest of the smaller distances of the two logits from 0. */
export function betweenLabels(answers: Float32Array, others: Float32Array, width: number): Float32Array {
  return Float32Array.from({ length: answers.length / width }, (_, row) => {
    let most = 0;
    for (let i = row * width; i < (row + 1) * width; i++) {
      const [own, its] = [answers[i]!, others[i]!];
      if (own > 0 !== its > 0) most = Math.max(most, Math.min(Math.abs(own), Math.abs(its)));
    }
    return most;
  });
}

/** The labels with a probability above 0.5. */
export function givenLabelsText(
  values: ArrayLike<number>,
  row: number,
  names: readonly string[],
  limit: number,
): string {
  return names.filter((_, c) => values[row * names.length + c]! > limit).join(', ') || 'none';
}
