import { percent } from '../base/numbers.ts';
import type { WriteOptions } from './write.ts';
import type { OutputLikeness } from './likeness.ts';

interface Budget {
  /** Least signal to noise of each output. */
  readonly sqnrDb: number;
  /** Least share of samples with the same class, where the task is classes; of integer outputs, of equal values. */
  readonly top1Agreement: number;
}

/**
 * Limits of likeness by precision. Broken files are far below them: an output of half its size comes to 6 dB, one of the other sign to -6.
 * Sound int8 files are far above: onnxruntime.quantization's were at 25 to 58 dB on eleven nets of all kinds (docs/export.md). The
 * accuracy that they may cost is set by `quantize.maxDrop`.
 */
const BUDGETS: Readonly<Record<WriteOptions['precision'], Budget>> = {
  fp32: { sqnrDb: 60, top1Agreement: 0.998 },
  fp16: { sqnrDb: 34, top1Agreement: 0.99 },
  int16x8: { sqnrDb: 20, top1Agreement: 0.95 },
  int8: { sqnrDb: 10, top1Agreement: 0.9 },
  'dynamic-int8': { sqnrDb: 10, top1Agreement: 0.9 },
  int4: { sqnrDb: 5, top1Agreement: 0.8 },
};

/** Signal to noise that each output of a file of this precision has at least, in dB. */
export const leastSqnrDb = (precision: WriteOptions['precision']): number => BUDGETS[precision].sqnrDb;

/** Reason why an output is too far from what it should be; undefined where it is not. */
export function beyondBudget(likeness: OutputLikeness, precision: WriteOptions['precision']): string | undefined {
  const { sqnrDb, top1Agreement } = likeness;
  const budget = BUDGETS[precision];
  const reasons: string[] = [];
  if (sqnrDb !== null && !(sqnrDb >= budget.sqnrDb)) reasons.push(`at least ${budget.sqnrDb} dB`);
  if (top1Agreement !== null && !(top1Agreement >= budget.top1Agreement))
    reasons.push(`the same ${sqnrDb === null ? 'value' : 'class'} on ${percent(budget.top1Agreement)}`);
  return reasons.length === 0 ? undefined : `${likenessText(likeness)}; expected ${reasons.join(' and ')}`;
}

/** Reason to refuse a file of vectors, by their mean cosine with the source; undefined if it is at least what the noise of the budget allows. */
export function cosineBeyondBudget(mean: number, precision: WriteOptions['precision']): string | undefined {
  const least = 1 - 10 ** (-BUDGETS[precision].sqnrDb / 10) / 2;
  return mean >= least - 1e-6 ? undefined : `mean cosine ${mean.toFixed(4)}; expected at least ${least.toFixed(4)}`;
}

/** Largest change of the length of a vector: more than rounding by 8 bits at the ends of a file makes of it (0.6 % of vectors of pictures). */
const LENGTH_CHANGE = 0.02;

/** Reason to refuse a file of vectors whose lengths are not those of the source; by cosines alone dot products could be wrong by any factor. */
export function lengthBeyondBudget(expected: Float32Array, actual: Float32Array, width: number): string | undefined {
  const lengthIn = (values: Float32Array, from: number): number => Math.hypot(...values.subarray(from, from + width));
  for (let from = 0; from < expected.length; from += width) {
    const [length, given] = [lengthIn(expected, from), lengthIn(actual, from)];
    if (!(Math.abs(given - length) <= LENGTH_CHANGE * length))
      return `a vector of length ${given.toFixed(4)}; expected ${length.toFixed(4)}`;
  }
  return undefined;
}

/** Text for people, e.g. `output logits: 31.2 dB, largest error 1.20 % of its range, same class on 99.00 %`. */
export function likenessText({ output, sqnrDb, relativeError, top1Agreement }: OutputLikeness): string {
  const parts = [
    ...(sqnrDb === null
      ? []
      : [
          sqnrDb === Infinity
            ? 'no difference'
            : sqnrDb === -Infinity
              ? 'no likeness at all'
              : `${sqnrDb.toFixed(1)} dB`,
        ]),
    ...(relativeError === null || relativeError === 0 ? [] : [`largest error ${share(relativeError)} of its range`]),
    ...(top1Agreement === null ? [] : [`same ${sqnrDb === null ? 'value' : 'class'} on ${percent(top1Agreement)}`]),
  ];
  return `output ${output}: ${parts.join(', ')}`;
}

function share(fraction: number): string {
  if (!Number.isFinite(fraction)) return 'beyond the whole';
  return fraction < 1e-4 ? fraction.toExponential(1) : percent(fraction);
}
