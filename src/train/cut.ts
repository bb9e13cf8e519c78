import type { TensorData } from '../graph/types.ts';
import type { TrainingBatch } from './batch.ts';
import { totalWeight } from './batch.ts';

/** A part of a batch, and what of the batch it is. */
export interface Part {
  readonly batch: TrainingBatch;
  /** Where in the batch its first sample is. */
  readonly first: number;
  /** Its share of the weight of the batch. */
  readonly share: number;
  /** Its share of the samples of the batch. */
  readonly samples: number;
}

/** Sizes of as few parts as there can be of at most `most` samples, none larger than another by more than one: 10 by 4 is 4, 3, 3. */
export function partSizes(samples: number, most: number): number[] {
  return evenSizes(samples, Math.ceil(samples / most));
}

/** Sizes of so many parts, none larger than another by more than one; of fewer where there are fewer samples. */
export function evenSizes(samples: number, wanted: number): number[] {
  const parts = Math.min(samples, wanted);
  return Array.from({ length: parts }, (_, i) => Math.ceil((samples - i) / parts));
}

/** The parts of a batch, one after another; what they hold lies in the batch. */
export function partsOf(batch: TrainingBatch, sizes: readonly number[], classes: number): Part[] {
  const n = batch.labels.length;
  const weight = totalWeight(batch);
  const whole = { ...batch.teacher, ...(batch.mix && { targets: mixedTargets(batch.labels, batch.mix, classes) }) };
  let next = 0;
  return sizes.map((size) => {
    const first = next;
    next += size;
    const rows = <T extends TensorData>(values: T): T => {
      const width = values.length / n;
      return values.subarray(first * width, next * width) as T;
    };
    const teacher = Object.fromEntries(Object.entries(whole).map(([name, values]) => [name, rows(values)]));
    const part = {
      x: rows(batch.x),
      inputs: batch.inputs,
      labels: rows(batch.labels),
      ...(batch.weights && { weights: rows(batch.weights) }),
      teacher,
    };
    return { batch: part, first, share: weight === 0 ? 0 : totalWeight(part) / weight, samples: size / n };
  });
}

/**
 * [n, classes] what a step makes of mixed labels: a sample's partner may be in another part. The same float32 arithmetic as
 * `targetsFrom`.
 */
function mixedTargets(
  labels: Int32Array,
  { partners, lambda }: NonNullable<TrainingBatch['mix']>,
  classes: number,
): Float32Array {
  const targets = new Float32Array(labels.length * classes);
  labels.forEach((label, i) => {
    const other = labels[partners[i]!]!;
    if (other === label) {
      targets[i * classes + label] = 1;
      return;
    }
    targets[i * classes + label] = lambda[i]!;
    targets[i * classes + other] = 1 - lambda[i]!;
  });
  return targets;
}
