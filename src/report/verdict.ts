import { accuracyScore, gainOf } from '../tasks/score.ts';
import type { Score } from '../tasks/score.ts';
import type { Verdict } from './types.ts';

/**
 * Compare students with their twins, pair by pair (same seed, so same weights at the start and same order of samples).
 * Gains too small to matter to anybody, of accuracy below a tenth of a point, are NO GAIN. The interval is Student's t at 95 % on the mean of the differences.
 */
export function verdictOf(
  distilled: readonly number[],
  scratch: readonly number[],
  samples = Infinity,
  score: Score = accuracyScore,
): Verdict {
  if (distilled.length !== scratch.length || distilled.length === 0) throw new Error('pairs of accuracies are needed');
  const gains = distilled.map((own, i) => gainOf(score, own, scratch[i]!));
  const repeats = gains.length;
  const gain = mean(gains);
  const said = (value: number): string => gainText(score, value);
  if (repeats === 1) {
    const sentence = `${said(gain)} in one run of each: too few to tell from chance; repeats: 3 gives an interval`;
    return { result: 'INCONCLUSIVE', gain, interval: null, repeats, gains, sentence };
  }
  // Gains that agree to the sample do not have no spread: accuracies are read in steps of one sample, and a difference of two
  // readings has the variance 2/12 of a step.
  const spread = Math.max(deviation(gains), score.grain(samples));
  const half = (tQuantile(repeats - 1) * spread) / Math.sqrt(repeats);
  const interval = [gain - half, gain + half] as const;
  const result =
    interval[1] < score.smallestGain(mean(scratch)) ? 'NO GAIN' : interval[0] > 0 ? 'BEATS' : 'INCONCLUSIVE';
  const range = `95 % interval ${said(interval[0])} to ${said(interval[1])}, ${repeats} runs of each`;
  return { result, gain, interval, repeats, gains, sentence: `${said(gain)} (${range})` };
}

/** A gain as the score's change; of an error of which less is better, how much less. */
export function gainText(score: Score, gain: number): string {
  return score.better === 'higher' ? score.change(gain) : `${score.name} ${score.change(-gain)}`;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sample standard deviation, n - 1 in the denominator. */
function deviation(values: readonly number[]): number {
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

/** 97.5 % quantile of Student's t by degrees of freedom. With t = sqrt(n) tan(a), the density in a is c cos(a)^(n - 1). */
export function tQuantile(degrees: number): number {
  let [low, high] = [0, Math.PI / 2];
  for (let i = 0; i < 60; i++) {
    const angle = (low + high) / 2;
    if (cosinePower(degrees - 1, angle) < 0.95 * cosinePower(degrees - 1, Math.PI / 2)) low = angle;
    else high = angle;
  }
  return Math.sqrt(degrees) * Math.tan(low);
}

/** The integral of cos^power from 0 to `end`, by Simpson's rule. */
function cosinePower(power: number, end: number): number {
  const steps = 400;
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
    sum += weight * Math.cos((end * i) / steps) ** power;
  }
  return (sum * end) / steps / 3;
}
