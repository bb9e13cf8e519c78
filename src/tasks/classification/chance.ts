import { classesOf } from './classes.ts';
import { argMax } from '../../base/numbers.ts';

/** Accuracy, and the accuracy of a teacher that knows nothing. */

export function accuracyOf(logits: Float32Array, labels: ArrayLike<number>, classes: number): number {
  let right = 0;
  for (let i = 0; i < labels.length; i++) if (argMax(logits, i * classes, classes) === labels[i]) right++;
  return right / labels.length;
}

/** Share of the most frequent label. */
export function largestShare(labels: ArrayLike<number>, classes: number): number {
  return Math.max(...countsOf(labels, classes)) / labels.length;
}

/** Accuracy of always answering with the most frequent class, plus three standard errors; at most 1. */
export function chanceBar(labels: ArrayLike<number>, classes: number): number {
  const chance = largestShare(labels, classes);
  return Math.min(1, chance + 3 * Math.sqrt((chance * (1 - chance)) / labels.length));
}

/**
 * True if a teacher is better than chance: by its accuracy, or by its mean recall over the classes. If 99 of 100 samples belong to one class, hardly
 * any teacher is more accurate than that class alone, and a good one still finds the others. Answers independent of the sample have mean recall 1/K,
 * whatever their shares q_k, with variance Σ q_k (1 - q_k) / n_k / K².
 */
export function beatsChance(logits: Float32Array, labels: ArrayLike<number>, classes: number): boolean {
  const accuracy = accuracyOf(logits, labels, classes);
  const bar = chanceBar(labels, classes);
  if (accuracy > bar || accuracy === 1) return true;
  const predicted = classesOf(logits, classes);
  const [counts, shares] = [
    countsOf(labels, classes),
    countsOf(predicted, classes).map((count) => count / labels.length),
  ];
  const right = countsOf(
    predicted.filter((answer, i) => answer === labels[i]),
    classes,
  );
  let [present, recall, variance, share] = [0, 0, 0, 0];
  counts.forEach((count, k) => {
    if (count === 0) return;
    present++;
    share += shares[k]!;
    recall += right[k]! / count;
    variance += (shares[k]! * (1 - shares[k]!)) / count;
  });
  return present > 1 && recall - share > 3 * Math.sqrt(variance) && recall > share + 0.05;
}

function countsOf(labels: ArrayLike<number>, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (let i = 0; i < labels.length; i++) counts[labels[i]!]!++;
  return counts;
}
