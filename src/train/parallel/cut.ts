import { evenSizes } from '../../data/batches/share.ts';
import type { TensorData } from '../../graph/types.ts';
import type { TrainingBatch } from '../step/batch.ts';
import type { Task } from '../../tasks/task.ts';
import { samplesInBatch, totalWeight } from '../step/batch.ts';
import type { KnownFlags } from '../step/known.ts';

/** A part of a batch, and its shares of the whole. */
export interface BatchPart {
  readonly batch: TrainingBatch;
  /** Index in the batch of the part's first sample. */
  readonly first: number;
  /** The part's share of the weight of the batch. */
  readonly share: number;
  /** The part's share of the samples of the batch. */
  readonly samples: number;
}

/** Sizes of the fewest parts of at most `most` samples; sizes differ by at most one: 10 by 4 gives 4, 3, 3. */
export function partSizes(samples: number, most: number): number[] {
  return evenSizes(samples, Math.ceil(samples / most));
}

function mapped({ label, answer, scored }: KnownFlags, rows: (values: Float32Array) => Float32Array): KnownFlags {
  return { label: rows(label), answer: rows(answer), scored: rows(scored) };
}

/** The parts of a batch, in order, as views of the batch's arrays. */
export function partsOf(batch: TrainingBatch, sizes: readonly number[], task: Task): BatchPart[] {
  const n = samplesInBatch(batch, task);
  const weight = totalWeight(batch, task);
  const whole = { ...batch.teacher, ...(batch.mix && { targets: task.mixedValues(batch.targets, batch.mix) }) };
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
      targets: rows(batch.targets),
      ...(batch.weights && { weights: rows(batch.weights) }),
      ...(batch.known && { known: mapped(batch.known, rows) }),
      teacher,
    };
    return { batch: part, first, share: weight === 0 ? 0 : totalWeight(part, task) / weight, samples: size / n };
  });
}
