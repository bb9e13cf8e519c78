import { argMax, percent } from '../../base/numbers.ts';
import { SURE } from '../columns.ts';

/** Maximum number of classes with a confusion matrix: a larger one is unreadable, and larger than the rest of the report. */
export const MOST_IN_MATRIX = 40;

/** The class of each row. */
export function classesOf(logits: Float32Array, classes: number): Int32Array {
  return Int32Array.from({ length: logits.length / classes }, (_, row) => argMax(logits, row * classes, classes));
}

/** The most probable class of the row that begins at `from`, and its softmax probability. */
export function surest(
  logits: ArrayLike<number>,
  from: number,
  classes: number,
): { readonly best: number; readonly probability: number } {
  const best = argMax(logits, from, classes);
  let sum = 0;
  for (let c = 0; c < classes; c++) sum += Math.exp(logits[from + c]! - logits[from + best]!);
  return { best, probability: 1 / sum };
}

/** [true class][predicted class]: numbers of samples. */
export function confusionOf(predicted: Int32Array, labels: Int32Array, classes: number): number[][] {
  const counts = Array.from({ length: classes }, () => Array.from({ length: classes }, () => 0));
  predicted.forEach((said, i) => counts[labels[i]!]![said]!++);
  return counts;
}

/** Number of samples of each true class, and number of right answers among them. */
export function perClassOf(
  predicted: Int32Array,
  labels: Int32Array,
  classes: number,
): { samples: number[]; right: number[] } {
  const samples = Array.from({ length: classes }, () => 0);
  const right = [...samples];
  labels.forEach((label, i) => {
    samples[label]!++;
    if (predicted[i] === label) right[label]!++;
  });
  return { samples, right };
}

/** Two models on the same samples, as numbers of samples. */
export interface SideBySide {
  readonly bothRight: number;
  readonly onlyOther: number;
  readonly onlyThis: number;
  /** Number of samples to which both give the same wrong class. */
  readonly sameError: number;
  readonly differentErrors: number;
}

export function sideBySide(predicted: Int32Array, other: Int32Array, labels: Int32Array): SideBySide {
  const counts = { bothRight: 0, onlyOther: 0, onlyThis: 0, sameError: 0, differentErrors: 0 };
  labels.forEach((label, i) => {
    const [own, its] = [predicted[i] === label, other[i] === label];
    if (own && its) counts.bothRight++;
    else if (own) counts.onlyThis++;
    else if (its) counts.onlyOther++;
    else if (predicted[i] === other[i]) counts.sameError++;
    else counts.differentErrors++;
  });
  return counts;
}

/** True for each sample with a right answer. */
export function hits(predicted: Int32Array, labels: ArrayLike<number>): boolean[] {
  return Array.from(predicted, (one, i) => one === labels[i]);
}

/**
 * True if `a` is right significantly less often than `b` on the same samples: McNemar's test, with the continuity correction of Edwards 1948, over
 * the samples that only one of them gets right.
 */
export function isWorse(a: readonly boolean[], b: readonly boolean[]): boolean {
  const lost = a.filter((right, i) => !right && b[i]).length;
  const won = a.filter((right, i) => right && !b[i]).length;
  return lost - won - 1 > SURE * Math.sqrt(lost + won);
}

/** The smaller of the two models' probabilities if their classes differ, else 0. */
export function betweenClasses(answers: Float32Array, others: Float32Array, width: number): Float32Array {
  return Float32Array.from({ length: answers.length / width }, (_, row) => {
    const [own, its] = [surest(answers, row * width, width), surest(others, row * width, width)];
    return own.best === its.best ? 0 : Math.min(own.probability, its.probability);
  });
}

export function classText(logits: Float32Array, row: number, names: readonly string[]): string {
  const { best, probability } = surest(logits, row * names.length, names.length);
  return `${names[best]!} (${percent(probability, 1)})`;
}
