import { shown, UserError } from '../base/errors.ts';
import { inputsOf } from '../data/inputs.ts';
import type { InputPart } from '../data/dataset.ts';
import type { TensorData } from '../graph/types.ts';
import type { CompiledStep } from '../runtime/engine.ts';
import { samplesAs } from '../runtime/typed.ts';

/** What one step learns from; a batch of src/data fits as it is. */
export interface TrainingBatch {
  /** [n, ...inputShape] */
  readonly x: TensorData;
  /** Where `x` holds several inputs: which part of a sample is which. */
  readonly inputs?: readonly InputPart[] | undefined;
  /** [n] class indexes. */
  readonly labels: Int32Array;
  /** [n] weight of each sample in the loss. Default 1. */
  readonly weights?: Float32Array;
  /** How the samples were mixed, for a program with mixup targets. */
  readonly mix?: { readonly partners: Int32Array; readonly lambda: Float32Array };
  /** The teacher's answers, by feed name: `teacherLogits`, `teacher/<name>`; or soft `targets`. */
  readonly teacher?: Readonly<Record<string, Float32Array>>;
}

/** The feeds that stand for the batch. Labels outside 0 … classes - 1 are a `UserError`: a one-hot of them would be all zero. */
export function batchFeeds(batch: TrainingBatch, classes: number, where: string): Record<string, TensorData> {
  const { x, inputs, labels, weights, mix, teacher } = batch;
  checkLabels(labels, classes, where);
  return {
    ...inputFeedsOf(x, labels.length, inputs),
    labels,
    weights: weights ?? ones(labels.length),
    ...mix,
    ...teacher,
  };
}

/** The feeds of samples: `x`, or `x/<name>` for each of several inputs. */
export function inputFeedsOf(x: TensorData, n: number, inputs?: readonly InputPart[]): Record<string, TensorData> {
  if (inputs === undefined) return { x };
  const values = inputsOf(x as Float32Array, n, { sampleShape: [x.length / n], inputs });
  return Object.fromEntries(Object.entries(values).map(([name, { data }]) => [`x/${name}`, data]));
}

const isInput = (feed: string): boolean => feed === 'x' || feed.startsWith('x/');

/**
 * Of these feeds what a step takes, in its types: a training without a teacher ignores the answers of one, and ids are held in float32
 * like everything else in a sample.
 */
export function fedTo(
  { inputs }: Pick<CompiledStep, 'inputs'>,
  feeds: Readonly<Record<string, TensorData>>,
): Record<string, TensorData> {
  const taken = Object.entries(feeds).filter(([name]) => inputs.has(name));
  return Object.fromEntries(
    taken.map(([name, data]) => [name, isInput(name) ? samplesAs(inputs.get(name)!.dtype, data, name) : data]),
  );
}

function checkLabels(labels: Int32Array, classes: number, where: string): void {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (label >= 0 && label < classes) continue;
    throw new UserError(
      `${where}: the label of sample ${i} is ${shown(label)}, and the model has the classes 0 … ${classes - 1}`,
      'Check the labels of the data set, or give the model as many classes as the labels have.',
    );
  }
}

/** Σ w: what the results of the batch are sums or means over. */
export function totalWeight({ weights, labels }: TrainingBatch): number {
  return weights === undefined ? labels.length : weights.reduce((sum, weight) => sum + weight, 0);
}

const cache = new Map<number, Float32Array>();

function ones(n: number): Float32Array {
  let values = cache.get(n);
  if (values === undefined) cache.set(n, (values = new Float32Array(n).fill(1)));
  return values;
}
