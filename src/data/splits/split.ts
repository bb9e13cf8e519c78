import { UserError } from '../../base/errors.ts';
import { RandomStream } from '../../base/random.ts';
import type { Samples } from '../dataset.ts';

export interface Draw {
  /** Number of samples to draw. */
  readonly size: number;
  readonly seed: number;
  readonly purpose: string;
  /** Minimum number of samples of each class that must not be drawn. */
  readonly kept: 0 | 1;
}

/**
 * Rows of a stratified draw: every class gives its share, rounded by largest remainder. The draw depends only on `seed`, `purpose` and the labels;
 * rows are in ascending order. It has fewer than `size` rows only if every class must keep one.
 */
export function drawStratified(labels: Int32Array, classes: number, { size, seed, purpose, kept }: Draw): Int32Array {
  const rowsByClass = Array.from({ length: classes }, (): number[] => []);
  labels.forEach((label, row) => rowsByClass[label]!.push(row));
  const quotas = shares(
    rowsByClass.map((rows) => rows.length),
    size,
    kept,
  );
  const chosen = rowsByClass.flatMap((rows, index) => {
    const order = new RandomStream(seed, 'split', purpose, index).permutation(rows.length);
    return Array.from(order.subarray(0, quotas[index]), (i) => rows[i]!);
  });
  return Int32Array.from(chosen).sort();
}

function shares(counts: readonly number[], wanted: number, kept: number): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const exact = counts.map((count) => (count * wanted) / total);
  const room = counts.map((count) => Math.max(0, count - kept));
  const quotas = exact.map((share, i) => Math.min(Math.floor(share), room[i]!));
  const byRemainder = exact.map((_, i) => i).sort((a, b) => (exact[b]! % 1) - (exact[a]! % 1) || a - b);
  let left = wanted - quotas.reduce((sum, quota) => sum + quota, 0);
  while (left > 0) {
    const before = left;
    for (const i of byRemainder) {
      if (left > 0 && quotas[i]! < room[i]!) {
        quotas[i]!++;
        left--;
      }
    }
    if (left === before) break;
  }
  return quotas;
}

/** Number of samples for an amount: `0.1` is a fraction, `500` a number. */
export function splitSize(key: string, amount: number, count: number, source: string): number {
  if (!(amount > 0) || (amount >= 1 && !Number.isInteger(amount))) {
    throw new UserError(
      `${key}: expected a fraction between 0 and 1 or a whole number of samples, received ${amount}`,
      'For example 0.1 for a tenth, or 500 for 500 samples.',
    );
  }
  const size = amount < 1 ? Math.max(1, Math.round(amount * count)) : amount;
  if (size >= count) {
    throw new UserError(
      `${key}: ${size} of the ${count} samples of ${source} would leave none to train on`,
      'Choose a smaller number, or a fraction such as 0.1.',
    );
  }
  return size;
}

/**
 * Moves the drawn rows after the others, in place: both parts keep their order and become views of the same memory. Only the drawn rows are copied,
 * so that splitting gigabytes of data costs little memory.
 */
export function partition<A extends Samples | Int32Array>(
  data: A,
  rowSize: number,
  drawn: Int32Array,
): { kept: A; drawn: A } {
  const moved = data.slice(0, drawn.length * rowSize);
  drawn.forEach((row, i) => moved.set(data.subarray(row * rowSize, (row + 1) * rowSize), i * rowSize));
  let write = drawn.length === 0 ? data.length : drawn[0]! * rowSize;
  drawn.forEach((row, i) => {
    const from = (row + 1) * rowSize;
    const to = i + 1 < drawn.length ? drawn[i + 1]! * rowSize : data.length;
    data.copyWithin(write, from, to);
    write += to - from;
  });
  data.set(moved, data.length - moved.length);
  const border = data.length - moved.length;
  return { kept: data.subarray(0, border) as A, drawn: data.subarray(border) as A };
}
