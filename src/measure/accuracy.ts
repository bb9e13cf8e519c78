import { argMax } from '../base/numbers.ts';
import { batches } from '../data/batches.ts';
import type { Dataset } from '../data/dataset.ts';
import { modelFeeds } from '../runtime/feeds.ts';
import type { InferenceModel } from '../runtime/inference.ts';

const BATCH = 250;

/** Logits [count, classes] of every sample of a split, in its order, without augmentation. */
export async function logitsOf(model: InferenceModel, dataset: Dataset, count = dataset.count): Promise<Float32Array> {
  const [output] = model.outputs;
  const all: Float32Array[] = [];
  let done = 0;
  for (const { x, shape, inputs } of batches(dataset, { batchSize: BATCH, seed: 0, epoch: 0, shuffle: false })) {
    if (done >= count) break;
    const results = await model.run(modelFeeds(model, x, shape, inputs));
    all.push((results[output!.name]!.data as Float32Array).slice());
    done += shape[0]!;
  }
  const classes = all[0]!.length / Math.min(BATCH, dataset.count);
  const logits = new Float32Array(done * classes);
  all.reduce((offset, part) => {
    logits.set(part, offset);
    return offset + part.length;
  }, 0);
  return logits.subarray(0, Math.min(count, done) * classes);
}

/** The class of each row. */
export function classesOf(logits: Float32Array, classes: number): Int32Array {
  return Int32Array.from({ length: logits.length / classes }, (_, row) => argMax(logits, row * classes, classes));
}

/** Share of equal entries. */
export function agreement(a: Int32Array, b: Int32Array): number {
  let equal = 0;
  for (let i = 0; i < a.length; i++) if (a[i] === b[i]) equal++;
  return equal / a.length;
}

/** Answers of a file for each sample of a split. */
async function predictionsOf(model: InferenceModel, dataset: Dataset): Promise<Int32Array> {
  return classesOf(await logitsOf(model, dataset), dataset.classNames.length);
}

/** Share of the samples of a split that a file has right. */
export async function accuracyOf(model: InferenceModel, dataset: Dataset): Promise<number> {
  return agreement(await predictionsOf(model, dataset), dataset.labels);
}

/** [true class][predicted class]: numbers of samples. */
export function confusionOf(predicted: Int32Array, labels: Int32Array, classes: number): number[][] {
  const counts = Array.from({ length: classes }, () => Array.from({ length: classes }, () => 0));
  predicted.forEach((said, i) => counts[labels[i]!]![said]!++);
  return counts;
}

/** Numbers of samples by their true class, and of those among them that are right. */
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

/** Two models on the same samples: numbers of samples. */
export interface SideBySide {
  readonly bothRight: number;
  readonly onlyOther: number;
  readonly onlyThis: number;
  /** Both wrong, and both say the same. */
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
