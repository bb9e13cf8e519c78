import { sha256 } from '../base/bytes.ts';
import { shown } from '../base/errors.ts';
import { pathText } from './source.ts';

/** JSON with sorted keys: equal content gives equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

export function recipeHash(recipe: unknown): string {
  return sha256(canonicalJson(recipe));
}

/** Changes between two recipes, one line per value: `distill.temperature: 4 -> 2`. */
export function recipeDiff(before: unknown, after: unknown, path: readonly (string | number)[] = []): string[] {
  if (isBranch(before) && isBranch(after) && Array.isArray(before) === Array.isArray(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => {
      const part = Array.isArray(before) ? Number(key) : key;
      return recipeDiff(before[key], after[key], [...path, part]);
    });
  }
  if (canonicalJson(before ?? null) === canonicalJson(after ?? null)) return [];
  return [`${pathText(path)}: ${shown(before)} -> ${shown(after)}`];
}

function isBranch(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
