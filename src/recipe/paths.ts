import path from 'node:path';
import type { Recipe } from './schema.ts';

/** The same recipe with every file name made absolute, starting at `base`, the folder of the recipe. */
export function resolvePaths(recipe: Recipe, base: string): Recipe {
  const absolute = <T>(value: T): T => (typeof value === 'string' ? (path.resolve(base, value) as T) : value);
  const { dataset, teacher, student } = recipe;
  const splits = Object.fromEntries(
    (['train', 'validation', 'test'] as const)
      .filter((key) => dataset[key] !== undefined)
      .map((key) => [key, resolveSource(dataset[key], base)]),
  );
  return {
    ...recipe,
    dataset: { ...dataset, ...splits },
    ...(teacher !== undefined && {
      teacher: {
        ...mapKeys(teacher, ['onnx', 'tfjs', 'savedModel', 'logits'], absolute),
        ...(teacher.ensemble !== undefined && {
          ensemble: teacher.ensemble.map((member) => mapKeys(member, ['onnx', 'tfjs', 'savedModel'], absolute)),
        }),
      },
    }),
    ...(student !== undefined && { student: mapKeys(student, ['module', 'tfjs'], absolute) }),
  };
}

function mapKeys<T extends object>(object: T, keys: readonly (keyof T)[], change: <V>(value: V) => V): T {
  const copy = { ...object };
  for (const key of keys) {
    if (copy[key] !== undefined) copy[key] = change(copy[key]);
  }
  return copy;
}

function resolveSource(source: unknown, base: string): unknown {
  if (typeof source === 'string') return path.resolve(base, source);
  if (Array.isArray(source)) return source.map((item) => resolveSource(item, base));
  if (typeof source !== 'object' || source === null) return source;
  // In `{file, samples, labels}` the last two name arrays inside the file.
  const inside = 'file' in source;
  return Object.fromEntries(
    Object.entries(source).map(([key, value]) => [key, inside && key !== 'file' ? value : resolveSource(value, base)]),
  );
}
