import { fromHalf, toHalf } from '../../base/bytes.ts';
import { largestSeveral } from '../../base/largest.ts';

/** Row of a store: its numbers in float16, as bits, or in float32. */
type Row = Uint16Array | Float32Array;

/** Largest number of classes, for their indexes in a store of float16 are numbers of 16 bits. */
export const MOST_CLASSES = 65_536;

/** Numbers of a stored row that holds the `top` largest logits: these, the logit of every other class, and the indexes of the classes of these. */
export function topWidth(top: number): number {
  return 2 * top + 1;
}

/**
 * Writes the `top` largest of `logits` [classes] to `row` [2·top + 1]. The classes that are left out share the rest of the probability evenly, so
 * that the softmax of the stored row keeps the probabilities of the others: sparse answers as in Shen and Xing 2021, "A fast knowledge
 * distillation framework for visual recognition", section 3 ("marginal smoothing").
 */
export function writeTop(logits: Float32Array, top: number, row: Row): void {
  const largest = largestSeveral(logits, top);
  const isKept = new Uint8Array(logits.length);
  for (const c of largest) isKept[c] = 1;
  let most = -Infinity;
  for (let c = 0; c < logits.length; c++) if (isKept[c] === 0) most = Math.max(most, logits[c]!);
  let sum = 0;
  for (let c = 0; c < logits.length; c++) if (isKept[c] === 0) sum += Math.exp(logits[c]! - most);
  const rest = most + Math.log(sum / (logits.length - top));
  const stored = row instanceof Uint16Array ? toHalf : (value: number) => value;
  largest.forEach((c, i) => {
    row[i] = stored(logits[c]!);
    row[top + 1 + i] = c;
  });
  row[top] = stored(rest);
}

/** Reads a row that `writeTop` wrote into `logits` [classes]. */
export function readTop(row: Row, top: number, logits: Float32Array): void {
  const valueAt = (i: number): number => (row instanceof Uint16Array ? fromHalf(row[i]!) : row[i]!);
  logits.fill(valueAt(top));
  for (let i = 0; i < top; i++) logits[row[top + 1 + i]!] = valueAt(i);
}
