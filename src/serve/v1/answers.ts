import type { Described } from './preparation.ts';

/** A class, a label or a number with the value that a model gives it. */
export interface Class {
  readonly index: number;
  readonly label?: string;
  /** Share of a class, where the file says that its answers are logits; otherwise `score` has the value itself. */
  readonly probability?: number;
  readonly score?: number;
}

/** The likeliest of the classes that the values of `row` are of, the first of equal ones; with `top` above 1 as many of them. */
export function best(
  row: readonly number[],
  { labels, logits }: Pick<Described, 'labels' | 'logits'>,
  top: number,
): Class & { top?: Class[] } {
  const values = logits ? softmax(row) : row;
  const order = row.map((_, i) => i).sort((a, b) => row[b]! - row[a]! || a - b);
  const classes = order.slice(0, Math.max(1, top)).map((index): Class => {
    const label = labels?.length === row.length ? { label: labels[index]! } : {};
    return { index, ...label, ...(logits ? { probability: values[index]! } : { score: values[index]! }) };
  });
  return { ...classes[0]!, ...(top > 1 && { top: classes }) };
}

/** All of what is answered, by name: the probability of each label, or the number. */
export function named(row: readonly number[], { targets, logits }: Described): Class[] {
  return row.map((value, index): Class => {
    const label = targets?.length === row.length ? { label: targets[index]! } : {};
    return { index, ...label, ...(logits ? { probability: 1 / (1 + Math.exp(-value)) } : { score: value }) };
  });
}

function softmax(row: readonly number[]): number[] {
  const largest = Math.max(...row);
  const exponents = row.map((value) => Math.exp(value - largest));
  const sum = exponents.reduce((total, value) => total + value, 0);
  return exponents.map((value) => value / sum);
}
