import type { TargetRecipe } from '../../recipe/schema/target.ts';
import type { SearchPoint } from '../../report/types.ts';

/** A file that was made and measured, before it is held against the others and the budget. */
export interface Point extends Omit<SearchPoint, 'onFront' | 'withinBudget'> {
  /** The folder of its run in `search/`. */
  readonly run: string;
  /** Its id in the report of that run. */
  readonly model: string;
}

export type Budget = Pick<TargetRecipe, 'p95Ms' | 'sizeKb' | 'maxDrop'>;

/** Share by which a point is over the budget: the largest of `figure / limit - 1`; 0 or less meets it. */
export function excessOf(point: Point, budget: Budget, teacher: number | undefined): number {
  const excess = [
    budget.p95Ms === undefined ? -Infinity : point.p95Ms / budget.p95Ms - 1,
    budget.sizeKb === undefined ? -Infinity : point.sizeBytes / (1000 * budget.sizeKb) - 1,
    dropExcess(point, budget, teacher),
  ];
  return Math.max(...excess);
}

function dropExcess({ validation }: Point, { maxDrop }: Budget, teacher: number | undefined): number {
  if (maxDrop === undefined) return -Infinity;
  // What cannot be compared does not meet a limit.
  if (teacher === undefined) return Infinity;
  // Relative to the share that the teacher gets right, so that a budget of no loss at all divides by something.
  return (teacher - maxDrop / 100 - validation) / teacher;
}

/** True if `a` is at least as good as `b` in accuracy, latency and size, and better in one of them. */
function dominates(a: Point, b: Point): boolean {
  const asGood = a.validation >= b.validation && a.p95Ms <= b.p95Ms && a.sizeBytes <= b.sizeBytes;
  return asGood && (a.validation > b.validation || a.p95Ms < b.p95Ms || a.sizeBytes < b.sizeBytes);
}

/** The points that no other one dominates. */
export function paretoSet(points: readonly Point[]): Point[] {
  return points.filter((point) => !points.some((other) => dominates(other, point)));
}

/** The most accurate point within the budget; if there is none, the one that comes closest to it. */
export function pickOf(points: readonly Point[], budget: Budget, teacher: number | undefined): Point | undefined {
  return [...points].sort(better(budget, teacher))[0];
}

/** Orders points as the search prefers them. */
function better(budget: Budget, teacher: number | undefined): (a: Point, b: Point) => number {
  return (a, b) => {
    const [over, other] = [a, b].map((point) => Math.max(0, excessOf(point, budget, teacher))) as [number, number];
    if (over !== other) return over - other;
    return b.validation - a.validation || a.p95Ms - b.p95Ms || a.sizeBytes - b.sizeBytes;
  };
}

/**
 * Candidates that the next round keeps. They are ranked by their best point, first those within the budget or closest to it. Every other
 * place goes to the Pareto set, so that the next round still has something to choose between.
 */
export function survivors<T>(
  groups: ReadonlyMap<T, readonly Point[]>,
  budget: Budget,
  teacher: number | undefined,
): T[] {
  const keep = Math.ceil(groups.size / 2);
  const order = better(budget, teacher);
  const all = [...groups.values()].flat();
  const front = new Set(paretoSet(all));
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
