import type { TargetRecipe } from '../../recipe/schema/target.ts';
import type { SearchPoint } from '../../report/types.ts';
import { gainOf } from '../../tasks/score.ts';
import type { Score } from '../../tasks/score.ts';

/** A measured file, before it is compared with others and with the budget. */
export interface MeasuredPoint extends Omit<SearchPoint, 'onFront' | 'withinBudget'> {
  /** Folder of its run in `search/`. */
  readonly run: string;
  /** Id of its model in the report of that run. */
  readonly model: string;
}

/** Limits and score by which points are judged. */
export interface Judge {
  readonly budget: Pick<TargetRecipe, 'p95Ms' | 'sizeKb' | 'maxDrop'>;
  readonly score: Score;
  /** The teacher's score on the validation split; undefined without a teacher. */
  readonly teacher: number | undefined;
}

/** Excess of a point over the budget: the largest of `figure / limit - 1`; it meets the budget at 0 or less. */
export function excessOf(point: MeasuredPoint, judge: Judge): number {
  const { budget } = judge;
  const excess = [
    budget.p95Ms === undefined ? -Infinity : point.p95Ms / budget.p95Ms - 1,
    budget.sizeKb === undefined ? -Infinity : point.sizeBytes / (1000 * budget.sizeKb) - 1,
    dropExcess(point, judge),
  ];
  return Math.max(...excess);
}

function dropExcess({ validation }: MeasuredPoint, { budget: { maxDrop }, score, teacher }: Judge): number {
  if (maxDrop === undefined) return -Infinity;
  // Without a teacher's score the limit cannot be met.
  if (teacher === undefined) return Infinity;
  const missing = gainOf(score, score.after(teacher, maxDrop), validation);
  // Relative to the teacher's score, because a limit of 0 cannot be a divisor.
  return missing <= 0 && teacher === 0 ? 0 : missing / teacher;
}

/** True if `a` is at least as good as `b` in score, latency and size, and better in one of them. */
function dominates(a: MeasuredPoint, b: MeasuredPoint, score: Score): boolean {
  const gain = gainOf(score, a.validation, b.validation);
  const asGood = gain >= 0 && a.p95Ms <= b.p95Ms && a.sizeBytes <= b.sizeBytes;
  return asGood && (gain > 0 || a.p95Ms < b.p95Ms || a.sizeBytes < b.sizeBytes);
}

/** The points that no other point dominates. */
export function paretoSet(points: readonly MeasuredPoint[], score: Score): MeasuredPoint[] {
  return points.filter((point) => !points.some((other) => dominates(other, point, score)));
}

/** The point with the best score within the budget; if none meets it, the closest. */
export function pickOf(points: readonly MeasuredPoint[], judge: Judge): MeasuredPoint | undefined {
  return [...points].sort(better(judge))[0];
}

/** Orders points by preference. */
function better(judge: Judge): (a: MeasuredPoint, b: MeasuredPoint) => number {
  return (a, b) => {
    const [over, other] = [a, b].map((point) => Math.max(0, excessOf(point, judge))) as [number, number];
    if (over !== other) return over - other;
    return gainOf(judge.score, b.validation, a.validation) || a.p95Ms - b.p95Ms || a.sizeBytes - b.sizeBytes;
  };
}

/**
 * Candidates for the next round, half of the groups. They are ranked by their best point, first those within or closest to the budget. Every other
 * place goes to the Pareto set, so that the next round has something to choose from.
 */
export function survivors<T>(groups: ReadonlyMap<T, readonly MeasuredPoint[]>, judge: Judge): T[] {
  const keep = Math.ceil(groups.size / 2);
  const order = better(judge);
  const all = [...groups.values()].flat();
  const front = new Set(paretoSet(all, judge.score));
  const byBest = [...groups].flatMap(([candidate, points]) => {
    const best = [...points].sort(order)[0];
    return best === undefined ? [] : [{ candidate, best, isOnFront: points.some((point) => front.has(point)) }];
  });
  byBest.sort((a, b) => order(a.best, b.best));
  const first = byBest.slice(0, Math.ceil(keep / 2));
  const rest = byBest.slice(first.length).sort((a, b) => Number(b.isOnFront) - Number(a.isOnFront));
  const kept = new Set([...first, ...rest.slice(0, keep - first.length)].map(({ candidate }) => candidate));
  return [...groups.keys()].filter((candidate) => kept.has(candidate));
}
