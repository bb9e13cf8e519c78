import type { TensorData } from '../graph/types.ts';
import type { Task } from '../tasks/task.ts';

/** Sums over steps or batches; the mean loss is `loss / weight`. */
export interface Totals {
  readonly loss: number;
  /** What the score follows from, by name. */
  readonly sums: Readonly<Record<string, readonly number[]>>;
  readonly weight: number;
  readonly samples: number;
}

export const NOTHING: Totals = { loss: 0, sums: {}, weight: 0, samples: 0 };

const SCORE = 'score/';

/** The sums of a task among the results of a step. */
export function sumsOf(results: Readonly<Record<string, TensorData>>): Record<string, number[]> {
  const found = Object.entries(results).filter(([name]) => name.startsWith(SCORE));
  return Object.fromEntries(found.map(([name, values]) => [name.slice(SCORE.length), Array.from(values, Number)]));
}

export function isSum(name: string): boolean {
  return name.startsWith(SCORE);
}

export function added(a: Totals, b: Totals): Totals {
  const sums = Object.entries(b.sums).map(
    ([name, values]) => [name, values.map((value, i) => (a.sums[name]?.[i] ?? 0) + value)] as const,
  );
  return {
    loss: a.loss + b.loss,
    sums: { ...a.sums, ...Object.fromEntries(sums) },
    weight: a.weight + b.weight,
    samples: a.samples + b.samples,
  };
}

/** The score of what was added up; 0 of nothing. */
export function scoreOf({ sums, weight }: Totals, task: Pick<Task, 'scoreOfSums'>): number {
  return weight === 0 ? 0 : task.scoreOfSums(sums, weight);
}
