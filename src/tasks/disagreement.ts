import { percent } from '../base/numbers.ts';
import { surest } from './classes.ts';

/** Two models beside each other, sample by sample, and what they say in words. */

export function classText(logits: Float32Array, row: number, names: readonly string[]): string {
  const { best, probability } = surest(logits, row * names.length, names.length);
  return `${names[best]!} (${percent(probability, 1)})`;
}

/** The smaller of the two probabilities where the classes differ. */
export function betweenClasses(answers: Float32Array, others: Float32Array, width: number): Float32Array {
  return Float32Array.from({ length: answers.length / width }, (_, row) => {
    const [own, its] = [surest(answers, row * width, width), surest(others, row * width, width)];
    return own.best === its.best ? 0 : Math.min(own.probability, its.probability);
  });
}

/** The largest over the labels that one gives and the other does not of the smaller distance from 0 of the two logits. */
export function betweenLabels(answers: Float32Array, others: Float32Array, width: number): Float32Array {
  return Float32Array.from({ length: answers.length / width }, (_, row) => {
    let most = 0;
    for (let i = row * width; i < (row + 1) * width; i++) {
      const [own, its] = [answers[i]!, others[i]!];
      if (own > 0 !== its > 0) most = Math.max(most, Math.min(Math.abs(own), Math.abs(its)));
    }
    return most;
  });
}

/** The mean distance of the numbers, each in deviations of its label. */
export function betweenNumbers(answers: Float32Array, others: Float32Array, std: readonly number[]): Float32Array {
  const width = std.length;
  return Float32Array.from({ length: answers.length / width }, (_, row) => {
    const each = std.map((deviation, c) => Math.abs(answers[row * width + c]! - others[row * width + c]!) / deviation);
    return each.reduce((sum, value) => sum + value, 0) / width;
  });
}

/** The labels that are given at more than a probability of a half. */
export function givenLabelsText(
  values: ArrayLike<number>,
  row: number,
  names: readonly string[],
  limit: number,
): string {
  return names.filter((_, c) => values[row * names.length + c]! > limit).join(', ') || 'none';
}

export function numbersText(values: ArrayLike<number>, row: number, names: readonly string[]): string {
  const each = names.map((name, c) => {
    const text = String(Number(values[row * names.length + c]!.toPrecision(4)));
    return names.length === 1 ? text : `${name} ${text}`;
  });
  return each.join(', ');
}
