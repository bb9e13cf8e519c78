import { deviation, mean, tQuantile } from '../base/math/statistics.ts';
import { accuracyScore, gainOf } from '../tasks/score.ts';
import type { Score } from '../tasks/score.ts';
import { pairedTest } from '../measure/paired-test.ts';
import type { PairedCounts } from '../measure/paired-test.ts';
import { number } from './format.ts';
import type { TaughtBy } from './taught-by.ts';
import type { Pair, Repeats } from './types.ts';
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
  if (distilled.length !== scratch.length || distilled.length === 0) throw new Error('pairs of scores are needed');
  const gains = distilled.map((own, i) => gainOf(score, own, scratch[i]!));
  const repeats = gains.length;
  const gain = mean(gains);
  const said = (value: number): string => gainText(score, value);
  if (repeats === 1) {
    const sentence = `${said(gain)} in one run of each: too few to tell from the chance of a seed; repeats: 3 gives an interval`;
    return { result: 'INCONCLUSIVE', gain, interval: null, repeats, gains, sentence };
  }
  // A difference of two readings has twice the variance of one.
  const interval = intervalOf(gains, Math.SQRT2 * score.grain(samples));
  const result =
    interval[1] < score.smallestGain(mean(scratch)) ? 'NO GAIN' : interval[0] > 0 ? 'BEATS' : 'INCONCLUSIVE';
  const range = `95 % interval ${said(interval[0])} to ${said(interval[1])}, ${repeats} runs of each`;
  return { result, gain, interval, repeats, gains, sentence: `${said(gain)} (${range})` };
}

/** A model that was trained several times: its mean score with the 95 % interval, on so many samples. */
export function repeatsOf(scores: readonly number[], samples: number, score: Score = accuracyScore): Repeats {
  const [low, high] = intervalOf(scores, score.grain(samples));
  const [least, most] = score.bounds;
  return { scores, mean: mean(scores), interval: [Math.max(least, low), Math.min(most, high)] };
}

/**
 * Student's t at 95 % on the mean. Values that agree to the sample do not have no spread: accuracies are read in steps of one
 * sample, and a reading has the variance 1/12 of a step, which is where `least` comes from.
 */
function intervalOf(values: readonly number[], least: number): readonly [number, number] {
  const centre = mean(values);
  const half =
    (tQuantile(values.length - 1) * Math.max(deviation(values, values.length - 1), least)) / Math.sqrt(values.length);
  return [centre - half, centre + half];
}

/**
 * Comparison of one student with its twin, from the samples that only one of them has right. It says nothing about the method: another seed
 * makes two other models.
 */
export function pairOf(split: Pair['split'], counts: PairedCounts, by: TaughtBy = 'teacher'): Pair {
  const { onlyFirst: onlyDistilled, onlySecond: onlyScratch, samples } = counts;
  const test = pairedTest(counts);
  const [low, high] = test.interval;
  const seen =
    `of ${number(samples)} ${split} samples the distilled student alone has ${number(onlyDistilled)} right, its twin alone ` +
    `${number(onlyScratch)}: a difference of ${accuracyScore.change(test.difference)}, 95 % interval ${accuracyScore.change(low)} to ${accuracyScore.change(high)} ` +
    `(McNemar's test: p ${test.p < 0.001 ? 'below 0.001' : test.p.toFixed(3)})`;
  const better = test.difference > 0 ? 'distilled one' : 'twin';
  const meaning =
    test.p < 0.05
      ? `of these two models the ${better} is better by more than the choice of samples explains; whether the ${by} is the ` +
        `reason, only other seeds can tell`
      : 'so many samples do not tell which of these two models is the better one';
  return { split, samples, onlyDistilled, onlyScratch, ...test, sentence: `${seen}; ${meaning}` };
}

/** A gain as the score's change; of an error of which less is better, how much less. */
export function gainText(score: Score, gain: number): string {
  return score.better === 'higher' ? score.change(gain) : `${score.name} ${score.change(-gain)}`;
}
