import { deviation, mean } from '../base/math/statistics.ts';
import type { TargetValues } from '../data/dataset.ts';
import type { Mixed } from './task.ts';

/** Arrays of `width` numbers for each sample. */

export function columnOf(values: ArrayLike<number>, c: number, width: number): number[] {
  return Array.from({ length: values.length / width }, (_, row) => values[row * width + c]!);
}

/** Mean without nulls; null if there are only nulls. */
export function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : mean(known);
}

/** 1.96 standard deviations: chance alone exceeds that in one of 40 cases. */
export const SURE = 1.96;

/** True if the mean of differences between paired samples is significantly above 0. */
export function isAboveZero(differences: readonly number[]): boolean {
  const n = differences.length;
  return mean(differences) > SURE * (deviation(differences, Math.max(1, n - 1)) / Math.sqrt(n));
}

/** `lambda` of each sample's numbers plus the rest of its partner's. */
export function mixedNumbers(targets: TargetValues, { partners, lambda }: Mixed, width: number): Float32Array {
  return Float32Array.from(targets, (value, at) => {
    const [i, c] = [Math.floor(at / width), at % width];
    const other = targets[partners[i]! * width + c]!;
    return other + (value - other) * lambda[i]!;
  });
}

/** Minimum number of samples for statements on the distribution of answers. */
export const FEWEST_SAMPLES = 10;

/** Share of the spread of the truth below which answers count as independent of the sample. */
const SPREAD = 0.01;

/** Index of the first number whose answers are nearly constant although `truth` is not; -1 if there is none. */
export function stuckAt(answers: ArrayLike<number>, truth: ArrayLike<number>, width: number, unit?: number): number {
  if (answers.length / width < FEWEST_SAMPLES) return -1;
  return Array.from({ length: width }, (_, c) => c).findIndex((c) => {
    const its = deviation(columnOf(truth, c, width));
    return its > 0 && deviation(columnOf(answers, c, width)) < SPREAD * (unit ?? its);
  });
}

/** Probable cause of constant answers, for messages. */
export const PROBABLY =
  'its input is probably not prepared as it wants it (normalization, layout, size), or its weights are wrong';
