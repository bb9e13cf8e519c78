import { UserError } from '../../base/errors.ts';
import { countOfElements } from '../../data/dataset.ts';
import type { AtSize } from '../../data/pictures/originals.ts';
import type { AnswerField } from '../../tasks/fields.ts';

/** Answer of a teacher to a batch. */
export interface Answer {
  /** [n, classes]; for a task with several fields [n, width], see `AnswerField` of src/tasks. */
  readonly logits: Float32Array;
  /** Named inner tensors, [n, ...shape]. */
  readonly features: Readonly<Record<string, Float32Array>>;
}

/**
 * Gives logits, and named inner tensors, for a batch: a file, a model trained by this run, or an ensemble. It gets samples as the student does (NHWC,
 * normalized, augmented) and converts them to the layout, scale and size of its own input.
 */
export interface Teacher {
  /** Name for messages, such as the file's. */
  readonly name: string;
  /** Hash of everything that its answers depend on: weights, preprocessing, outputs that are read. */
  readonly key: string;
  /** Number of elements of an answer. */
  readonly classes: number;
  /** Shapes of its named inner tensors, without the batch. */
  readonly featureShapes: Readonly<Record<string, readonly number[]>>;
  readonly params: number;
  readonly sizeBytes: number;
  /** Other outputs of its file, which the user may have meant; absent if the recipe names an output. */
  readonly otherOutputs?: readonly string[];
  /** Shape of a sample as the teacher reads it, if not the data set's. */
  readonly sampleShape?: readonly number[];
  /** Columns of a table whose missing values it gets as they are; in other columns it gets what the recipe fills in. */
  readonly handed?: readonly string[];
  /** Device of the teacher, such as `cpu`; the student's may differ. */
  readonly device: string;
  /** `x`: [n, ...sampleShape]; `original`: the same samples from their picture files, for a teacher of another size. */
  answer(x: Float32Array, n: number, original?: AtSize): Promise<Answer>;
  dispose(): Promise<void>;
}

/** Logits whose softmax gives these probabilities. Clamped, because a probability of 0 would become -infinity. */
export function logitsOfProbabilities(probabilities: Float32Array): Float32Array {
  return probabilities.map((p) => Math.log(Math.max(p, 1e-12)));
}

/** True if all rows look like probabilities: between 0 and 1, with sum 1. */
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

/** `UserError` for a teacher whose outputs, by their names, are no fields of these shapes. `shapeOf`: shape of an output for one sample. */
export function checkFields(
  name: string,
  fields: readonly AnswerField[],
  outputs: readonly string[],
  shapeOf: (output: string) => readonly number[] | undefined,
): void {
  for (const [i, field] of fields.entries()) {
    const shape = shapeOf(outputs[i]!);
    if (shape !== undefined && countOfElements(shape) === countOfElements(field.shape)) continue;
    throw new UserError(
      `${name}: expected [${field.shape.join(', ')}] for the field ${field.name}, received ${shape === undefined ? `no output ${outputs[i]!}` : `the output ${outputs[i]!} [${shape.join(', ')}]`}`,
      'Name the output of each field in teacher.outputs, and use a teacher of this data set.',
    );
  }
}

/** Kind of a teacher's answers, or the file's output of each field of an answer. */
export type TeacherOutputs = 'auto' | 'logits' | 'probabilities' | Readonly<Record<string, string>>;

/** True if answers like `values` are probabilities; `UserError` if the recipe says so and they are not. */
export function answersProbabilities(
  name: string,
  outputs: TeacherOutputs,
  values: Float32Array,
  classes: number,
): boolean {
  if (outputs !== 'probabilities') return outputs !== 'logits' && areProbabilities(values, classes);
  // Tolerance for rounding to 8 bits.
  const other = values.find((value) => value < -0.01 || value > 1.01);
  if (other === undefined) return true;
  throw new UserError(
    `teacher.outputs: expected probabilities, received ${other.toPrecision(4)} from ${name}`,
    'Set it to logits, or leave it out: Limbeck then finds out which they are.',
  );
}
