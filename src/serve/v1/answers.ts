import { Refusal } from '../refusal.ts';

/** A class, a label or a number with the value that a model gives it. */
export interface Class {
  readonly index: number;
  readonly label?: string;
  /** Share of a class, where the file says that its answers are logits; otherwise `score` has the value itself. */
  readonly probability?: number;
  readonly score?: number;
}

/** Names of a model's answers, where they are known, and the kind of its values. */
export interface Said {
  readonly names: readonly string[] | undefined;
  readonly logits: boolean;
}

/**
 * The likeliest of the classes that the values of `row` are of, the first of equal ones; with `top` above 1 as many of them. `Refusal` for
 * values that JSON has no form for.
 */
export function best(row: readonly number[], { names, logits }: Said, top = 1): Class & { top?: Class[] } {
  // NaN has no place in an order.
  if (row.some(Number.isNaN)) finite(NaN);
  const values = logits ? softmax(row) : row;
  const order = row.map((_, i) => i).sort((a, b) => row[b]! - row[a]! || a - b);
  const classes = order.slice(0, top).map((index): Class => {
    const label = names?.length === row.length ? { label: names[index]! } : {};
    const value = finite(values[index]!);
    return { index, ...label, ...(logits ? { probability: value } : { score: value }) };
  });
  return { ...classes[0]!, ...(top > 1 && { top: classes }) };
}

/** All of what is answered, by name: the probability of each label, or the number. */
export function named(row: readonly number[], { names, logits }: Said): Class[] {
  return row.map((value, index): Class => {
    const label = names?.length === row.length ? { label: names[index]! } : {};
    return {
      index,
      ...label,
      ...(logits ? { probability: finite(1 / (1 + Math.exp(-value))) } : { score: finite(value) }),
    };
  });
}

/** `Refusal` for a value that JSON has no form for. */
export function finite(value: number): number {
  if (Number.isFinite(value)) return value;
  throw new Refusal(
    400,
    `the model answers ${value} to these values, which JSON cannot express: ask for binary data at /v2/models/…/infer`,
  );
}

function softmax(row: readonly number[]): number[] {
  const largest = Math.max(...row);
  const exponents = row.map((value) => Math.exp(value - largest));
  const sum = exponents.reduce((total, value) => total + value, 0);
  return exponents.map((value) => value / sum);
}
