import { UserError } from '../../base/errors.ts';
import type { AtSize } from '../../data/pictures/originals.ts';

/** Answer of a teacher to a batch. */
export interface Answer {
  /** [n, classes] */
  readonly logits: Float32Array;
  /** Named inner tensors, [n, ...shape]. */
  readonly features: Readonly<Record<string, Float32Array>>;
}

/**
 * Anything that gives logits, and named inner tensors, for a batch: a file, a model trained by this run, an ensemble.
 * It sees samples as the student does (NHWC, normalized, augmented) and turns them into the layout, scale and size of its own input.
 */
export interface Teacher {
  /** Name for people, e.g. that of its file. */
  readonly name: string;
  /** A hash of everything its answers depend on: weights, preprocessing, which outputs are read. */
  readonly key: string;
  readonly classes: number;
  /** Shapes of its named inner tensors, without the batch. */
  readonly featureShapes: Readonly<Record<string, readonly number[]>>;
  readonly params: number;
  readonly sizeBytes: number;
  /** Other outputs of its file, any of which the user may have meant; absent where the recipe names an output. */
  readonly otherOutputs?: readonly string[];
  /** Shape of one sample as the teacher sees it, if not as the data set has it. */
  readonly sampleShape?: readonly number[];
  /** Device that it runs on, e.g. `cpu`; the student may be trained on another device. */
  readonly device: string;
  /** `x`: [n, ...sampleShape]; `original`: the same samples from their files, for a teacher of another size. */
  answer(x: Float32Array, n: number, original?: AtSize): Promise<Answer>;
  dispose(): Promise<void>;
}

/** Probabilities as logits: softmax gives them back. What is 0 in float32 must not become -infinity. */
export function logitsOfProbabilities(probabilities: Float32Array): Float32Array {
  return probabilities.map((p) => Math.log(Math.max(p, 1e-12)));
}

/** True if the rows look like probabilities: inside 0 … 1, and summing to 1. */
export function areProbabilities(values: Float32Array, classes: number): boolean {
  for (let row = 0; row < values.length; row += classes) {
    let sum = 0;
    for (let i = row; i < row + classes; i++) {
      const value = values[i]!;
      if (!(value >= -1e-6 && value <= 1 + 1e-6)) return false;
      sum += value;
    }
    if (Math.abs(sum - 1) > 1e-3) return false;
  }
  return values.length > 0;
}

/** True if answers that look like `values` are probabilities; `UserError` if the recipe says that they are and they are not. */
export function answersProbabilities(
  name: string,
  outputs: 'auto' | 'logits' | 'probabilities',
  values: Float32Array,
  classes: number,
): boolean {
  if (outputs !== 'probabilities') return outputs === 'auto' && areProbabilities(values, classes);
  // Rounding to 8 bits changes answers a little.
  const other = values.find((value) => value < -0.01 || value > 1.01);
  if (other === undefined) return true;
  throw new UserError(
    `teacher.outputs: expected probabilities, received ${other.toPrecision(4)} from ${name}`,
    'Set it to logits, or leave it out: Limbeck then finds out which they are.',
  );
}
