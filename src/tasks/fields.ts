import { countOfElements } from '../data/dataset.ts';

/**
 * A named part of a model's answer to a sample: an output of its file. Answers to a batch are [batch, width]: the fields of a sample stand one after
 * another in its row, so that stores, caches and ranks carry answers of one field and of several alike.
 */
export interface AnswerField {
  readonly name: string;
  /** Shape for one sample. */
  readonly shape: readonly number[];
}

/** Name of the first field of every task, and of the output that holds it. */
const FIRST = 'logits';

/** The only field of a task whose answers are logits or numbers of this shape. */
export function oneField(shape: readonly number[]): readonly AnswerField[] {
  return [{ name: FIRST, shape }];
}

/** Number of elements of a sample's answer. */
export function widthOfFields(fields: readonly AnswerField[]): number {
  return fields.reduce((sum, { shape }) => sum + countOfElements(shape), 0);
}

/** Answers of `count` samples, [count, width], from the values of each output, [count, ...shape]. */
export function joinedValues(
  outputs: Readonly<Record<string, Float32Array>>,
  fields: readonly AnswerField[],
  count: number,
): Float32Array {
  if (fields.length === 1) return outputs[fields[0]!.name]!;
  const width = widthOfFields(fields);
  const all = new Float32Array(count * width);
  for (const { name } of fields) {
    const { from, size } = placeOf(fields, name);
    const values = outputs[name]!;
    for (let row = 0; row < count; row++) all.set(values.subarray(row * size, (row + 1) * size), row * width + from);
  }
  return all;
}

/** Values of a field, [count, ...shape], of answers [count, width]. */
export function fieldValues(answers: Float32Array, fields: readonly AnswerField[], wanted: string): Float32Array {
  if (fields.length === 1) return answers;
  const { from, size } = placeOf(fields, wanted);
  const width = widthOfFields(fields);
  const count = answers.length / width;
  const all = new Float32Array(count * size);
  for (let row = 0; row < count; row++)
    all.set(answers.subarray(row * width + from, row * width + from + size), row * size);
  return all;
}

function placeOf(fields: readonly AnswerField[], wanted: string): { readonly from: number; readonly size: number } {
  const at = fields.findIndex(({ name }) => name === wanted);
  if (at === -1) throw new Error(`the task has no field ${wanted}`);
  return { from: widthOfFields(fields.slice(0, at)), size: widthOfFields(fields.slice(at, at + 1)) };
}
