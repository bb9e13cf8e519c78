import type { TargetRecipe } from '../../recipe/schema/target.ts';
import type { LatencyRow, Search } from '../../report/types.ts';
import { excessOf, paretoSet } from './points.ts';
import type { Judge, MeasuredPoint } from './points.ts';

/** Result of a search: all points, the Pareto set, and the pick. */
export function summary(
  points: readonly MeasuredPoint[],
  pick: MeasuredPoint,
  target: TargetRecipe,
  judge: Judge,
): Search {
  const front = new Set(paretoSet(points, judge.score));
  const { runtime, batchSize, threads, p95Ms, sizeKb, maxDrop } = target;
  const budget = {
    ...(p95Ms !== undefined && { p95Ms }),
    ...(sizeKb !== undefined && { sizeKb }),
    ...(maxDrop !== undefined && { maxDrop }),
  };
  return {
    target: { runtime, batchSize, threads, ...budget },
    points: points.map((point) => ({
      ...reported(point),
      onFront: front.has(point),
      withinBudget: excessOf(point, judge) <= 0,
    })),
    pick: pick.id,
    withinBudget: excessOf(pick, judge) <= 0,
    sentence: sentenceOf(points, pick, judge),
  };
}

/** A point in the report, with run and model in its id. */
function reported(point: MeasuredPoint) {
  const { id, width, amount, precision, epochs, params, sizeBytes, validation, p50Ms, p95Ms } = point;
  return { id, width, amount, precision, epochs, params, sizeBytes, validation, p50Ms, p95Ms };
}

function sentenceOf(points: readonly MeasuredPoint[], pick: MeasuredPoint, judge: Judge): string {
  const { score, teacher } = judge;
  const drop = teacher === undefined ? '' : `, ${score.dropText(score.lost(teacher, pick.validation))} the teacher`;
  const figures =
    `${score.isShareRight ? '' : `${score.name} `}${score.text(pick.validation)} on the validation split${drop}, ` +
    `95 % of calls within ${pick.p95Ms.toPrecision(3)} ms, ${(pick.sizeBytes / 1000).toFixed(1)} kB`;
  const excess = excessOf(pick, judge);
  return excess <= 0
    ? `the best of ${points.length} measured students within the budget is ${pick.id}: ${figures}`
    : `none of ${points.length} measured students is within the budget; ${pick.id} comes closest, over it by ${roughly(excess)}: ${figures}`;
}

/**
 * The search with the pick's latency from a second measurement. The fastest of many measurements is biased by luck; the second, which nothing was
 * chosen by, tells whether the pick meets the budget.
 */
export function timedAgain(search: Search, latency: LatencyRow | undefined): Search {
  if (latency === undefined) return search;
  const { p50Ms, p95Ms } = latency;
  const limit = search.target.p95Ms;
  const isWithin = limit === undefined || p95Ms <= limit;
  const verdict =
    limit === undefined ? '' : isWithin ? ', within the budget' : `, over the budget by ${roughly(p95Ms / limit - 1)}`;
  return {
    ...search,
    withinBudget: search.withinBudget && isWithin,
    again: { p50Ms, p95Ms, withinBudget: isWithin },
    sentence: `${search.sentence}; timed again at the end, 95 % of its calls are within ${p95Ms.toPrecision(3)} ms${verdict}`,
  };
}

export function roughly(fraction: number): string {
  return `${Number((100 * fraction).toPrecision(3))} %`;
}
