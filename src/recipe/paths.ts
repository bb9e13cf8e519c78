import path from 'node:path';
import type { Recipe } from './schema.ts';

type Key = string | number;
type Change = (file: string, keys: readonly Key[]) => string;

/** The recipe with absolute file names, resolved from `base`, the recipe's folder. */
export function resolvePaths(recipe: Recipe, base: string): Recipe {
  return mapPaths(recipe, (file) => path.resolve(base, file));
}

/** Every file and folder that a recipe names, with its key. */
export function namedFiles(recipe: Recipe): { readonly keys: readonly Key[]; readonly file: string }[] {
  const found: { keys: readonly Key[]; file: string }[] = [];
  mapPaths(recipe, (file, keys) => {
    found.push({ keys, file });
    return file;
  });
  return found;
}

function mapPaths(recipe: Recipe, change: Change): Recipe {
  const { dataset, teacher, student } = recipe;
  const splits = Object.fromEntries(
    (['train', 'validation', 'test', 'unlabelled'] as const)
      .filter((key) => dataset[key] !== undefined)
      .map((key) => [key, mapSource(dataset[key], ['dataset', key], change)]),
  );
  // `classes` is a file unless it is a list.
  const files = ['onnx', 'tfjs', 'savedModel', 'tflite', 'classes'] as const;
  return {
    ...recipe,
    dataset: {
      ...withText(withBackground(dataset, change), ['dataset'], change),
      ...splits,
      augment: withFolders(dataset.augment, change),
    },
    ...(teacher !== undefined && {
      teacher: {
        ...mapKeys(withText(teacher, ['teacher'], change), ['teacher'], [...files, 'logits'], change),
        ...(teacher.ensemble !== undefined && {
          ensemble: teacher.ensemble.map((member, i) => mapKeys(member, ['teacher', 'ensemble', i], files, change)),
        }),
      },
    }),
    ...(student !== undefined && {
      student: withBackbone(mapKeys(student, ['student'], ['module', 'tfjs', 'onnx'], change), change),
    }),
  };
}

/** The student with a changed file of its backbone. */
function withBackbone<T extends NonNullable<Recipe['student']>>(student: T, change: Change): T {
  const { backbone } = student;
  return backbone === undefined
    ? student
    : { ...student, backbone: mapKeys(backbone, ['student', 'backbone'], ['onnx'], change) };
}

/** The data set with a changed folder of background noise. */
function withBackground<T extends object>(dataset: T, change: Change): T {
  return mapKeys(dataset as T & { readonly background?: string }, ['dataset'], ['background'], change);
}

/** The augmentation with changed folders of background noise. */
function withFolders(steps: Recipe['dataset']['augment'], change: Change): Recipe['dataset']['augment'] {
  return steps.map((step, i) =>
    'background' in step
      ? { background: mapKeys(step.background, ['dataset', 'augment', i, 'background'], ['folder'], change) }
      : step,
  );
}

/** `text.tokenizer` is a file unless it names a built-in tokenizer. */
function withText<T extends object>(part: T, at: readonly Key[], change: Change): T {
  const { text } = part as { readonly text?: { readonly tokenizer?: string | undefined } | undefined };
  if (text?.tokenizer === undefined || text.tokenizer === 'bytes' || text.tokenizer === 'hashed') return part;
  return { ...part, text: mapKeys(text, [...at, 'text'], ['tokenizer'], change) };
}

function mapKeys<T extends object>(
  object: T,
  at: readonly Key[],
  names: readonly (keyof T & string)[],
  change: Change,
): T {
  const changed = names.flatMap((name) => {
    const value: unknown = object[name];
    return typeof value === 'string' ? [[name, change(value, [...at, name])] as const] : [];
  });
  return { ...object, ...Object.fromEntries(changed) };
}

function mapSource(source: unknown, at: readonly Key[], change: Change): unknown {
  if (typeof source === 'string') return change(source, at);
  if (Array.isArray(source)) return source.map((item, i) => mapSource(item, [...at, i], change));
  if (typeof source !== 'object' || source === null) return source;
  // In `{file, samples, labels}` the last two name arrays inside the file.
  const inside = 'file' in source;
  return Object.fromEntries(
    Object.entries(source).map(([key, value]) => [
      key,
      inside && key !== 'file' ? (value as unknown) : mapSource(value, [...at, key], change),
    ]),
  );
}
