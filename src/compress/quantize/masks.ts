import { handsOn } from '../../graph/ops.ts';
import type { Graph } from '../../graph/types.ts';
import type { ActivationRange } from './histogram.ts';

/**
 * An attention mask adds a number such as -1e9 to a score, which stands for minus infinity. In the range of 8 bits it would
 * leave one step for all scores. What lies below this on its way to a softmax is such a number.
 */
export const MASKED = -1000;

/** Distance below the smallest real score at which a masked score is stored: e^-10 is far below the 1 / 256 of an int8 softmax. */
const MARGIN = 10;

/** Arithmetic that brings a mask to a score. */
const MASKING: ReadonlySet<string> = new Set('Add Sub Multiply RealDiv Select Minimum Maximum Cast'.split(' '));

/** Values that a softmax is fed, and the values that they are computed from. */
export function beforeSoftmax({ nodes }: Graph): Set<string> {
  const found = new Set<string>();
  for (const { op, inputs, outputs } of nodes.toReversed()) {
    const isSoftmax = op === 'Softmax' || op === 'LogSoftmax';
    const isOnTheWay = (MASKING.has(op) || handsOn(op, 'chosen')) && outputs.some((name) => found.has(name));
    if (isSoftmax || isOnTheWay) for (const name of inputs) found.add(name);
  }
  return found;
}

/** The values that are no mask. */
export function unmasked(values: Float32Array): Float32Array {
  return values.some((value) => value < MASKED) ? values.filter((value) => value >= MASKED) : values;
}

/**
 * The ranges of values that hold masks (`masked`), made wide enough below that a masked score is lost in the softmax:
 * `ranges` are the ranges of the values without masks, and are changed.
 */
export function widenForMasks(
  { nodes }: Graph,
  masked: ReadonlySet<string>,
  ranges: Map<string, ActivationRange>,
): void {
  const lower = (name: string, min: number): unknown =>
    masked.has(name) && ranges.has(name) && ranges.set(name, { ...ranges.get(name)!, min });
  for (const { op, inputs, outputs } of nodes.toReversed()) {
    const result = ranges.get(outputs[0]!);
    if (op === 'Softmax' || op === 'LogSoftmax') {
      const scores = ranges.get(inputs[0]!);
      if (scores !== undefined) lower(inputs[0]!, scores.min - MARGIN);
    } else if (result !== undefined && masked.has(outputs[0]!) && op !== 'Multiply' && op !== 'RealDiv') {
      // The largest score plus the mask must fall below what the sum can hold.
      const min = op === 'Add' || op === 'Sub' ? result.min - Math.max(0, result.max) : result.min;
      for (const name of inputs) lower(name, min);
    }
  }
}
