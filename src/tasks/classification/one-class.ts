import { PROBABLY } from '../columns.ts';

/**
 * A loud word where a model gives one class to (nearly) every sample and the samples are of more: what a wrong preparation of
 * its input looks like, in an accuracy that may pass for a weak model's, or in an agreement of 100 %. Undefined where all is
 * well. `truth`: the labels, or what a model to be compared with says.
 */
export function oneClassWarning(
  name: string,
  predicted: Int32Array,
  truth: ArrayLike<number>,
  classNames?: readonly string[],
  why = PROBABLY,
): string | undefined {
  const samples = predicted.length;
  if (samples < FEWEST) return undefined;
  const [share, given] = mostFrequent(predicted);
  const [trueShare] = mostFrequent(truth);
  // Of data that are nearly all of one class, a good model says so too.
  if (share < NEARLY_ALL || 1 - share >= REST * (1 - trueShare)) return undefined;
  const what = classNames?.[given] ?? `class ${given}`;
  return `${name}: answers ${what} to ${(100 * share).toFixed(1)} % of ${samples} samples, whatever they show; ${why}`;
}

const FEWEST = 10;
const NEARLY_ALL = 0.9;
/** Share of the other classes that is left, of what there should be. */
const REST = 0.2;

function mostFrequent(values: ArrayLike<number>): [share: number, value: number] {
  const counts = new Map<number, number>();
  for (let i = 0; i < values.length; i++) counts.set(values[i]!, (counts.get(values[i]!) ?? 0) + 1);
  let [most, value] = [0, 0];
  for (const [one, count] of counts) if (count > most) [most, value] = [count, one];
  return [most / values.length, value];
}
