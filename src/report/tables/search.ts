import { gainOf } from '../../tasks/score.ts';
import type { Score } from '../../tasks/score.ts';
import type { Search, SearchPoint } from '../types.ts';

/** The points that no other one dominates, the best score first. */
export function frontOf({ points }: Search, score: Score): SearchPoint[] {
  return points.filter(({ onFront }) => onFront).sort((a, b) => gainOf(score, b.validation, a.validation));
}
