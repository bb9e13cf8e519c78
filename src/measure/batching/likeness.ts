import { fromHalf } from '../../base/bytes.ts';
import type { InferenceTensor } from '../../runtime/inference.ts';

/** Kernels sum in another order in a batch: that much of the largest value. Beyond it, it is another answer. */
const ROUNDING = 1e-3;

/** Two answers to one sample. */
export type Likeness = 'bits' | 'rounding' | 'other';

export function likeness(a: InferenceTensor, b: InferenceTensor): Likeness {
  if (a.data.length !== b.data.length || a.data.constructor !== b.data.constructor) return 'other';
  let equal = true;
  let [difference, largest] = [0, 0];
  for (let i = 0; i < a.data.length; i++) {
    if (Object.is(a.data[i], b.data[i])) continue;
    equal = false;
    const [x, y] = [valueOf(a, i), valueOf(b, i)];
    if (Number.isNaN(x) && Number.isNaN(y)) continue;
    if (!Number.isFinite(x) || !Number.isFinite(y)) return 'other';
    difference = Math.max(difference, Math.abs(x - y));
  }
  if (equal) return 'bits';
  // Beside an infinity, such as the logit of a class that a mask leaves out, any difference would be rounding.
  for (let i = 0; i < a.data.length; i++)
    if (Number.isFinite(valueOf(a, i))) largest = Math.max(largest, Math.abs(valueOf(a, i)));
  return difference <= ROUNDING * largest ? 'rounding' : 'other';
}

/** 16-bit arrays that are not integers of the file are halves. */
function valueOf({ data }: InferenceTensor, i: number): number {
  return data instanceof Uint16Array ? fromHalf(data[i]!) : Number(data[i]);
}

export function worst(all: readonly Likeness[]): Likeness {
  return all.includes('other') ? 'other' : all.includes('rounding') ? 'rounding' : 'bits';
}
