import { meanOf } from '../../tasks/columns.ts';
import type { ClassFigures } from '../../tasks/described.ts';
import { classesOf, MOST_IN_MATRIX } from '../../tasks/classification/classes.ts';

/** As `roc_auc_score(multi_class='ovr')`, `f1_score(average='macro')` and `log_loss` of scikit-learn have them. logits: [labels.length, classes]. */
export function classFiguresOf(logits: Float32Array, labels: Int32Array, classes: number): ClassFigures {
  return {
    auc: classes <= MOST_IN_MATRIX ? aucOf(logits, labels, classes) : null,
    macroF1: macroF1Of(classesOf(logits, classes), labels, classes),
    logLoss: logLossOf(logits, labels, classes),
  };
}

/** Mean of -log of the probability of the true class. */
export function logLossOf(logits: Float32Array, labels: ArrayLike<number>, classes: number): number {
  const logs = Array.from(labels, (label, row) => logProbability(logits, row * classes, classes, label));
  return -logs.reduce((sum, value) => sum + value, 0) / labels.length;
}

/** Area under the ROC curve of the second of two classes, or the mean over the classes, each against the others; null for labels of one class. */
export function aucOf(logits: Float32Array, labels: ArrayLike<number>, classes: number): number | null {
  const probabilities = softmaxOf(logits, classes);
  const of = (label: number): number | null =>
    areaUnder(
      Array.from(labels, (_, row) => probabilities[row * classes + label]!),
      Array.from(labels, (own) => own === label),
    );
  return classes === 2 ? of(1) : meanOf(Array.from({ length: classes }, (_, label) => of(label)));
}

/** Two probabilities whose relative difference is smaller count as equal: softmax rounds equal probabilities of different logits differently. */
const ROUNDING = 1e-12;

/** Share of pairs of a positive and a negative sample of which the positive has the larger value; equal values count half. Null without both. */
function areaUnder(values: readonly number[], isPositive: readonly boolean[]): number | null {
  const positives = isPositive.filter(Boolean).length;
  const negatives = values.length - positives;
  if (positives === 0 || negatives === 0) return null;
  const order = Array.from(values.keys()).sort((a, b) => values[a]! - values[b]!);
  let ranks = 0;
  for (let from = 0, to = 0; from < order.length; from = to) {
    const least = values[order[from]!]!;
    while (to < order.length && values[order[to]!]! <= least * (1 + ROUNDING)) to++;
    const rank = (from + 1 + to) / 2;
    for (let i = from; i < to; i++) if (isPositive[order[i]!] === true) ranks += rank;
  }
  return (ranks - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** Mean of the F1 of the classes that some sample has or is given. */
export function macroF1Of(predicted: ArrayLike<number>, labels: ArrayLike<number>, classes: number): number {
  const [right, both] = [new Float64Array(classes), new Float64Array(classes)];
  for (let i = 0; i < labels.length; i++) {
    const [label, given] = [labels[i]!, predicted[i]!];
    both[label]!++;
    both[given]!++;
    if (label === given) right[label]!++;
  }
  return meanOf(Array.from(both, (count, c) => (count === 0 ? null : (2 * right[c]!) / count))) ?? 0;
}

function softmaxOf(logits: Float32Array, classes: number): Float64Array {
  const out = new Float64Array(logits.length);
  for (let row = 0; row < logits.length / classes; row++)
    for (let c = 0; c < classes; c++)
      out[row * classes + c] = Math.exp(logProbability(logits, row * classes, classes, c));
  return out;
}

/** Log of the softmax probability of a class of the row that begins at `from`. */
function logProbability(logits: Float32Array, from: number, classes: number, label: number): number {
  let most = -Infinity;
  for (let c = 0; c < classes; c++) most = Math.max(most, logits[from + c]!);
  let sum = 0;
  for (let c = 0; c < classes; c++) sum += Math.exp(logits[from + c]! - most);
  return logits[from + label]! - most - Math.log(sum);
}
