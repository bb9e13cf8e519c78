import type { TargetValues } from '../../data/dataset.ts';
import { inputsByName } from '../../data/inputs.ts';
import type { InputPart } from '../../data/dataset.ts';
import type { TensorData } from '../../graph/types.ts';
import type { CompiledStep } from '../../runtime/engine.ts';
import { samplesAs } from '../../runtime/typed.ts';
import type { Mixed, Task } from '../../tasks/task.ts';
import type { KnownFlags } from './known.ts';

/** Samples that one step learns from; satisfied by a batch of src/data. */
export interface TrainingBatch {
  /** [n, ...inputShape] */
  readonly x: TensorData;
  /** Slices of `x` for each input of a model with several inputs. */
  readonly inputs?: readonly InputPart[] | undefined;
  /** [n] class indexes; for regression [n, numbers]. */
  readonly targets: TargetValues;
  /** [n] rows of the data set, for a program that remembers each sample. */
  readonly ids?: Int32Array;
  /** [n] weight of each sample in the loss. Default 1. */
  readonly weights?: Float32Array;
  /** [n] flags of each sample (has a label, has a teacher's answer), for a program that reads them; see `src/train/step/known.ts`. */
  readonly known?: KnownFlags | undefined;
  /** Mixture of the samples, for a program with mixup targets. */
  readonly mix?: Mixed;
  /** The teacher's answers, by feed name: `teacherLogits`, `teacher/<name>`; or soft `targets`. */
  readonly teacher?: Readonly<Record<string, Float32Array>>;
}

/** Feeds of a batch; `UserError` for targets that the task does not allow. */
export function batchFeeds(batch: TrainingBatch, task: Task, where: string): Record<string, TensorData> {
  const { x, inputs, targets, ids, weights, known, mix, teacher } = batch;
  const n = samplesInBatch(batch, task);
  return {
    ...inputFeedsOf(x, n, inputs),
    ...task.fed(targets, where, mix),
    ...(ids && { rows: ids }),
    weights: weights ?? task.weightOf?.(targets) ?? ones(n),
    ...(known && { hasLabel: known.label, hasAnswer: known.answer, isScored: known.scored }),
    ...teacher,
  };
}

/** Feeds of the samples: `x`, or `x/<name>` for each of several inputs. */
export function inputFeedsOf(x: TensorData, n: number, inputs?: readonly InputPart[]): Record<string, TensorData> {
  if (inputs === undefined) return { x };
  const values = inputsByName(x as Float32Array, n, { sampleShape: [x.length / n], inputs });
  return Object.fromEntries(Object.entries(values).map(([name, { data }]) => [`x/${name}`, data]));
}

const isInput = (feed: string): boolean => feed === 'x' || feed.startsWith('x/');

/**
 * The feeds that a step takes, in its types: a training without a teacher ignores a teacher's answers, and token ids are stored as float32 like all
 * samples.
 */
export function fedTo(
  { inputs }: Pick<CompiledStep, 'inputs'>,
  feeds: Readonly<Record<string, TensorData>>,
): Record<string, TensorData> {
  const inputFeeds = Object.entries(feeds).filter(([name]) => inputs.has(name));
  return Object.fromEntries(
    inputFeeds.map(([name, data]) => [name, isInput(name) ? samplesAs(inputs.get(name)!.dtype, data, name) : data]),
  );
}

export function samplesInBatch({ targets }: TrainingBatch, { targetWidth }: Pick<Task, 'targetWidth'>): number {
  return targets.length / targetWidth;
}

/** Σ w, the weight that the sums and means of the batch's results refer to. */
export function totalWeight(batch: TrainingBatch, task: Pick<Task, 'targetWidth' | 'weightOf'>): number {
  const weights = batch.weights ?? task.weightOf?.(batch.targets);
  return weights === undefined ? samplesInBatch(batch, task) : weights.reduce((sum, weight) => sum + weight, 0);
}

/** Σ w over the samples that count in the score of the batch. */
export function scoredWeight(batch: TrainingBatch, task: Pick<Task, 'targetWidth' | 'weightOf'>): number {
  const { weights, known } = batch;
  if (known === undefined) return totalWeight(batch, task);
  return known.scored.reduce((sum, has, i) => sum + has * (weights?.[i] ?? 1), 0);
}

const cache = new Map<number, Float32Array>();

function ones(n: number): Float32Array {
  let values = cache.get(n);
  if (values === undefined) cache.set(n, (values = new Float32Array(n).fill(1)));
  return values;
}
