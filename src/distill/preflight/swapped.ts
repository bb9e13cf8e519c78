import type { Reordering } from './class-order.ts';

/** Probability that a teacher with all classes in place is reported to have two of them swapped. */
const FALSE_ALARMS = 1e-3;

/**
 * Order of classes with those pairs swapped whose exchange makes `answers` right significantly more often; undefined without such a pair. Each pair
 * is tested on the samples labelled and answered with one of its two classes:
 *
 * - more of them become right than wrong, by a sign test (McNemar 1947), and
 * - an answer speaks against its own class, by Fisher's exact test. A teacher that prefers one class of a pair, or a data
 * set with many more samples of one, can pass the first test with every class in place, but not this one.
 *
 * Both tests are exact for any number of samples, and Bonferroni's correction is for the number of pairs.
 */
export function swappedPairs(
  answers: Int32Array,
  labels: Int32Array,
  names: readonly string[],
): Reordering | undefined {
  const classes = names.length;
  const counts = new Int32Array(classes * classes);
  answers.forEach((answer, i) => counts[answer * classes + labels[i]!]!++);
  const count = (answer: number, label: number): number => counts[answer * classes + label]!;
  const level = Math.log(FALSE_ALARMS / Math.max(1, (classes * (classes - 1)) / 2));
  const logFactorial = logFactorials(answers.length);
  const pairs: { readonly a: number; readonly b: number; readonly gain: number }[] = [];
  for (let a = 0; a < classes; a++) {
    for (let b = a + 1; b < classes; b++) {
      const right = [count(a, a), count(b, b)] as const;
      const crossed = [count(a, b), count(b, a)] as const;
      const gain = crossed[0] + crossed[1] - right[0] - right[1];
      if (gain <= 0 || signTest(crossed[0] + crossed[1], right[0] + right[1], logFactorial) > level) continue;
      if (fisherTest(right, crossed, logFactorial) <= level) pairs.push({ a, b, gain });
    }
  }
  const order = [...names];
  const taken = new Set<number>();
  let gained = 0;
  for (const { a, b, gain } of pairs.sort((one, other) => other.gain - one.gain)) {
    if (taken.has(a) || taken.has(b)) continue;
    taken.add(a).add(b);
    [order[a], order[b]] = [names[b]!, names[a]!];
    gained += gain;
  }
  if (gained === 0) return undefined;
  const right = answers.reduce((sum, answer, i) => sum + (answer === labels[i] ? 1 : 0), 0);
  return { classes: order, accuracy: (right + gained) / labels.length };
}

/** Logarithms of 0! … n!. */
function logFactorials(n: number): Float64Array {
  const logs = new Float64Array(n + 1);
  for (let i = 1; i <= n; i++) logs[i] = logs[i - 1]! + Math.log(i);
  return logs;
}

/** Logarithm of the probability of at least `more` heads in `more + less` throws of a fair coin. */
function signTest(more: number, less: number, logFactorial: Float64Array): number {
  const n = more + less;
  const terms = Array.from({ length: less + 1 }, (_, tails) => logChoose(n, tails, logFactorial));
  return logSum(terms) - n * Math.LN2;
}

/**
 * Logarithm of the probability of at most as many right answers as found, if answers and labels of the two classes were independent: the lower tail
 * of the hypergeometric distribution.
 */
function fisherTest(
  [aa, bb]: readonly [number, number],
  [ab, ba]: readonly [number, number],
  logFactorial: Float64Array,
): number {
  const [answeredA, labelledA, n] = [aa + ab, aa + ba, aa + ab + ba + bb];
  const least = Math.max(0, answeredA + labelledA - n);
  const terms = Array.from(
    { length: aa - least + 1 },
    (_, i) =>
      logChoose(labelledA, least + i, logFactorial) + logChoose(n - labelledA, answeredA - least - i, logFactorial),
  );
  return logSum(terms) - logChoose(n, answeredA, logFactorial);
}

function logChoose(n: number, k: number, logFactorial: Float64Array): number {
  return logFactorial[n]! - logFactorial[k]! - logFactorial[n - k]!;
}

function logSum(logs: readonly number[]): number {
  const largest = Math.max(...logs);
  return largest + Math.log(logs.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}
