import { PROBABLY } from '../columns.ts';

/**
 * Warning about a model that gives one class to nearly all samples although they belong to several: a sign of wrongly prepared input, in an accuracy
 * that may pass for a weak model's, or in an agreement of 100 %. Undefined otherwise. `truth`: the labels, or the answers of a model for comparison.
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
  // If nearly all data belong to one class, a good model gives that class too.
  if (share < NEARLY_ALL || 1 - share >= REST * (1 - trueShare)) return undefined;
  const what = classNames?.[given] ?? `class ${given}`;
  return `${name}: answers ${what} to ${(100 * share).toFixed(1)} % of ${samples} samples, whatever they show; ${why}`;
}

const FEWEST = 10;
const NEARLY_ALL = 0.9;
/** Maximum share of the other classes, relative to their true share. */
const REST = 0.2;

function mostFrequent(values: ArrayLike<number>): [share: number, value: number] {
  const counts = new Map<number, number>();
  for (let i = 0; i < values.length; i++) counts.set(values[i]!, (counts.get(values[i]!) ?? 0) + 1);
  let [most, value] = [0, 0];
  for (const [one, count] of counts) if (count > most) [most, value] = [count, one];
  return [most / values.length, value];
}
