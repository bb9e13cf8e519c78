import { columnOf, isAboveZero } from '../../tasks/columns.ts';
import type { ErrorReport } from './described.ts';
import { sum } from '../../base/numbers.ts';

/** Number of samples in a chart of residuals. */
const SHOWN = 400;

/** Errors of answers [samples, names.length] in the label's units. */
export function errorsOf(
  answers: ArrayLike<number>,
  targets: ArrayLike<number>,
  names: readonly string[],
): ErrorReport {
  const width = names.length;
  const n = targets.length / width;
  const step = Math.max(1, Math.ceil(n / SHOWN));
  return {
    rows: names.map((name, c) => {
      const labels = columnOf(targets, c, width);
      const errors = labels.map((label, i) => answers[i * width + c]! - label);
      const squared = sum(errors.map((error) => error * error));
      const mean = sum(labels) / n;
      const about = sum(labels.map((label) => (label - mean) ** 2));
      return {
        name,
        mae: sum(errors.map(Math.abs)) / n,
        rmse: Math.sqrt(squared / n),
        r2: about === 0 ? null : 1 - squared / about,
        bias: sum(errors) / n,
      };
    }),
    points: names.map((_, c) =>
      columnOf(targets, c, width).flatMap((label, i) =>
        i % step === 0 ? [[label, answers[i * width + c]!] as const] : [],
      ),
    ),
  };
}

/** Root mean squared error of each number, mean over the numbers. */
export function rmseOf(answers: ArrayLike<number>, targets: ArrayLike<number>, width: number): number {
  const squared = new Float64Array(width);
  for (let i = 0; i < targets.length; i++) squared[i % width]! += (answers[i]! - targets[i]!) ** 2;
  const n = targets.length / width;
  return squared.reduce((total, value) => total + Math.sqrt(value / n), 0) / width;
}

/** True if answers have significantly larger errors than others: a paired test on squared errors, in deviations, sample by sample. */
export function isFurtherOff(
  answers: ArrayLike<number>,
  than: ArrayLike<number>,
  targets: ArrayLike<number>,
  std: readonly number[],
): boolean {
  const width = std.length;
  const errorOf = (of: ArrayLike<number>, row: number): number =>
    sum(std.map((one, c) => ((of[row * width + c]! - targets[row * width + c]!) / one) ** 2));
  return isAboveZero(
    Array.from({ length: targets.length / width }, (_, row) => errorOf(answers, row) - errorOf(than, row)),
  );
}

/** Mean distance of the numbers, each in standard deviations of its label. */
export function betweenNumbers(answers: Float32Array, others: Float32Array, std: readonly number[]): Float32Array {
  const width = std.length;
  return Float32Array.from({ length: answers.length / width }, (_, row) => {
    const each = std.map((deviation, c) => Math.abs(answers[row * width + c]! - others[row * width + c]!) / deviation);
    return each.reduce((sum, value) => sum + value, 0) / width;
  });
}

export function numbersText(values: ArrayLike<number>, row: number, names: readonly string[]): string {
  const each = names.map((name, c) => {
    const text = String(Number(values[row * names.length + c]!.toPrecision(4)));
    return names.length === 1 ? text : `${name} ${text}`;
  });
  return each.join(', ');
}
