import { deviation, mean } from '../base/statistics.ts';
import type { TargetValues } from '../data/dataset.ts';
import type { Mixed } from './task.ts';

/** Numbers of samples, `width` a sample, one number after the other. */

export function columnOf(values: ArrayLike<number>, c: number, width: number): number[] {
  return Array.from({ length: values.length / width }, (_, row) => values[row * width + c]!);
}

/** Mean of what is not null; null where there is nothing. */
export function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : mean(known);
}

/** 1.96 standard deviations: chance alone does that in one of 40 cases. */
export const SURE = 1.96;

/** True if the mean of differences, sample by sample, is above 0 by more than chance: a paired test. */
export function isAboveZero(differences: readonly number[]): boolean {
  const n = differences.length;
  return mean(differences) > SURE * (deviation(differences, Math.max(1, n - 1)) / Math.sqrt(n));
}

/** `lambda` of each sample's own numbers, the rest of its partner's. */
export function mixedNumbers(targets: TargetValues, { partners, lambda }: Mixed, width: number): Float32Array {
  return Float32Array.from(targets, (value, at) => {
    const [i, c] = [Math.floor(at / width), at % width];
    const other = targets[partners[i]! * width + c]!;
    return other + (value - other) * lambda[i]!;
  });
}

/** Samples below which nothing is said of how answers are spread. */
export const FEWEST_SAMPLES = 10;

/** A share of the spread of the truth; answers that vary less do not depend on the sample. */
const SPREAD = 0.01;

/** The first number whose answers are nearly the same for all samples, while `truth` is not; -1 where there is none. */
export function stuckAt(answers: ArrayLike<number>, truth: ArrayLike<number>, width: number, unit?: number): number {
  if (answers.length / width < FEWEST_SAMPLES) return -1;
  return Array.from({ length: width }, (_, c) => c).findIndex((c) => {
    const its = deviation(columnOf(truth, c, width));
    return its > 0 && deviation(columnOf(answers, c, width)) < SPREAD * (unit ?? its);
  });
}

/** Probable cause of such answers, for messages. */
export const PROBABLY =
  'its input is probably not prepared as it wants it (normalization, layout, size), or its weights are wrong';
