import type { Search, SearchPoint } from './types.ts';

/** The points that no other one dominates, the most accurate first. */
export function frontOf({ points }: Search): SearchPoint[] {
  return points.filter(({ onFront }) => onFront).sort((a, b) => b.validation - a.validation);
}
