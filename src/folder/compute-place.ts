import { recipeDiff } from '../recipe/diff.ts';
import type { Recipe } from '../recipe/schema.ts';

/** Keys that determine where a run computes: saved states do not depend on them. */
const KEYS = ['engine', 'device', 'threads', 'stepsPerCall'] as const;
/** Keys that affect only the time of computations, never the results. */
const FREE = ['jobs'];
export type Place = Partial<Pick<Recipe, (typeof KEYS)[number]>>;

function without(recipe: Partial<Recipe>, keys: readonly string[]): Partial<Recipe> {
  return Object.fromEntries(Object.entries(recipe).filter(([key]) => !keys.includes(key)));
}

/** Engine and device that `--engine` and `--set` ask for; `recipe`: with these settings applied. */
export function placeAskedFor(recipe: Recipe, set: readonly string[]): Place {
  const overridden = KEYS.filter((key) => set.some((setting) => setting.startsWith(`${key}=`)));
  return Object.fromEntries(overridden.map((key) => [key, recipe[key]]));
}

/** Differences between two recipes: those of engine and device, and all others. */
export function differences(before: Recipe, after: Recipe): { readonly moves: string[]; readonly changes: string[] } {
  const [one, other] = [without(before, FREE), without(after, FREE)];
  const changes = recipeDiff(without(one, KEYS), without(other, KEYS));
  return { moves: recipeDiff(one, other).filter((line) => !changes.includes(line)), changes };
}

/** Sentence for log and report on a run that was resumed with another engine or device. */
export function noteOf(moves: readonly string[]): string {
  return `this run was resumed with ${moves.join(', ')}: its results come from several engines or devices`;
}
