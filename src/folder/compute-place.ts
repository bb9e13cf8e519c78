import { recipeDiff } from '../recipe/diff.ts';
import type { Recipe } from '../recipe/schema.ts';

/** Keys that say where a run computes, not what: a saved state is the same with any of them. */
const KEYS = ['engine', 'device', 'threads', 'stepsPerCall'] as const;
/** Keys that change nothing but when something is done. */
const FREE = ['jobs'];
export type Place = Partial<Pick<Recipe, (typeof KEYS)[number]>>;

function without(recipe: Partial<Recipe>, keys: readonly string[]): Partial<Recipe> {
  return Object.fromEntries(Object.entries(recipe).filter(([key]) => !keys.includes(key)));
}

/** The place that `--engine` and `--set` ask for, of a recipe that has them applied. */
export function placeAskedFor(recipe: Recipe, set: readonly string[]): Place {
  const asked = KEYS.filter((key) => set.some((setting) => setting.startsWith(`${key}=`)));
  return Object.fromEntries(asked.map((key) => [key, recipe[key]]));
}

/** Differences between two recipes: where they compute, and anything else. */
export function differences(before: Recipe, after: Recipe): { readonly moves: string[]; readonly changes: string[] } {
  const [one, other] = [without(before, FREE), without(after, FREE)];
  const changes = recipeDiff(without(one, KEYS), without(other, KEYS));
  return { moves: recipeDiff(one, other).filter((line) => !changes.includes(line)), changes };
}

/** Sentence of log and report on a run that went on elsewhere. */
export function noteOf(moves: readonly string[]): string {
  return `this run went on with ${moves.join(', ')}: its results are not those of one engine and device`;
}
