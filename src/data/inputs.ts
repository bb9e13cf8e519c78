import { UserError } from '../base/errors.ts';
import { countOfElements } from './dataset.ts';
import type { InputPart } from './dataset.ts';

/** Shape of samples, with their slices for a model with several inputs. */
export interface SampleForm {
  readonly sampleShape: readonly number[];
  readonly inputs?: readonly InputPart[] | undefined;
}

export interface InputValues {
  readonly data: Float32Array;
  /** [n, ...] */
  readonly shape: readonly number[];
}

/** Slices of a row for parts that follow each other. */
export function inputParts(parts: readonly Omit<InputPart, 'from'>[]): InputPart[] {
  let from = 0;
  return parts.map((part) => {
    const placed = { ...part, from };
    from += countOfElements(part.shape);
    return placed;
  });
}

/** Inputs of a model by name from `x` [n, ...sampleShape]; a single input has the name `input`. */
export function inputsByName(
  x: Float32Array,
  n: number,
  { sampleShape, inputs }: SampleForm,
): Record<string, InputValues> {
  if (inputs === undefined) return { input: { data: x, shape: [n, ...sampleShape] } };
  const row = countOfElements(sampleShape);
  return Object.fromEntries(
    inputs.map(({ name, shape, from }) => {
      const size = countOfElements(shape);
      const data = new Float32Array(n * size);
      for (let i = 0; i < n; i++) data.set(x.subarray(i * row + from, i * row + from + size), i * size);
      return [name, { data, shape: [n, ...shape] }];
    }),
  );
}

/**
 * The slices for a model's inputs, in its order. `UserError` for an input that the data lack, and for a part of the data that the model does not
 * read, which would be ignored without a word.
 */
export function partsFor(model: string, wanted: readonly string[], parts: readonly InputPart[]): InputPart[] {
  const has = parts.map(({ name }) => name);
  const missing = wanted.find((name) => !has.includes(name));
  const unread = has.find((name) => !wanted.includes(name));
  if (missing === undefined && unread === undefined)
    return wanted.map((name) => parts.find((part) => part.name === name)!);
  throw new UserError(
    `${model}: its inputs are ${wanted.join(', ')}, received data with ${has.join(', ')}`,
    missing === undefined
      ? `Leave ${unread!} out of the data, or take a model that reads it.`
      : "Give the parts of the samples the names of the model's inputs.",
  );
}
