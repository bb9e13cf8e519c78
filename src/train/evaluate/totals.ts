import type { Task } from '../../tasks/task.ts';

/** Sums over steps or batches; the mean loss is `loss / weight`. */
export interface Totals {
  readonly loss: number;
  /** Sums that the score is computed from, by name. */
  readonly sums: Readonly<Record<string, number>>;
  readonly weight: number;
  /** Weight of the samples in the score. Default: `weight`. */
  readonly scored?: number | undefined;
  readonly samples: number;
}

export const NOTHING: Totals = { loss: 0, sums: {}, weight: 0, samples: 0 };

const SCORE = 'score/';

/** True for a step's result that is a sum of the task. */
export function isSum(name: string): boolean {
  return name.startsWith(SCORE);
}

/** A task's sums among the results of a step. */
export function sumsOf(results: Readonly<Record<string, number>>): Record<string, number> {
  const found = Object.entries(results).filter(([name]) => isSum(name));
  return Object.fromEntries(found.map(([name, value]) => [name.slice(SCORE.length), value]));
}

export function addedTotals(a: Totals, b: Totals): Totals {
  const sums = Object.entries(b.sums).map(([name, value]) => [name, (a.sums[name] ?? 0) + value] as const);
  return {
    loss: a.loss + b.loss,
    sums: { ...a.sums, ...Object.fromEntries(sums) },
    weight: a.weight + b.weight,
    ...((a.scored ?? b.scored) !== undefined && { scored: (a.scored ?? a.weight) + (b.scored ?? b.weight) }),
    samples: a.samples + b.samples,
  };
}

/** Totals from a saved state. Older versions knew only classification and saved its single sum, `correct`, beside the others. */
export function totalsOf(saved: Omit<Totals, 'sums'> & { readonly sums?: Totals['sums']; correct?: number }): Totals {
  const { correct, sums = correct === undefined ? {} : { correct }, ...rest } = saved;
  return { ...rest, sums };
}

/** Score computed from the sums; 0 without samples, undefined for a task whose score is no function of sums. */
export function scoreOfTotals(
  { sums, weight, scored = weight }: Totals,
  task: Pick<Task, 'scoreOfSums'>,
): number | undefined {
  return scored === 0 ? 0 : task.scoreOfSums(sums, scored);
}
