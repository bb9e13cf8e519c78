import type { z } from 'zod';

/** Parts of a recipe that stand in several places; `*`: each item of a list, or each key of a mapping. */
export const RECIPE_PARTS = {
  training: ['distill', 'teacher.train', 'teacher.chain.*'],
  asked: ['teacher', 'teacher.ensemble.*'],
  optimizer: ['distill.optimizer', 'teacher.train.optimizer'],
  studentOptimizer: ['distill.optimizer', 'prune.*.finetune.optimizer', 'quantize.*.qat.optimizer'],
  change: ['dataset.augment.*', 'teacher.train.augment.*'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** What keys of a recipe have to do with each other, and why a recipe is refused in which they do not go together. */
export interface KeyRule {
  /**
   * Paths of the key that is refused, and of others that decide. A path may begin with a part of `RECIPE_PARTS`, and have `*` for any item of a list or key of
   * a mapping; later paths that begin with the same part, or have a `*` in the same place, are of the same item.
   */
  readonly keys: readonly [string, ...string[]];
  /** True for a recipe that is refused, by the values of `keys`, then what stands for each `*`. Not asked where the first key is absent. */
  readonly when: (...values: never[]) => boolean;
  /** What is expected, with the reason. */
  readonly because: string | ((...values: never[]) => string);
  /** What is received, if not the value of the first key. */
  readonly received?: string | ((...values: never[]) => unknown);
  readonly hint?: string | ((...values: never[]) => string | undefined);
  /** True if `when` is asked even where the first key is absent. */
  readonly isOfAbsent?: true;
  /** True if the remedy is to take the key out. */
  readonly isSpare?: true;
}

/** Keys that a task reads and others do not, and its rules. */
export interface AnswerKeys {
  /** Name in refusals: `it belongs to segmentation`. */
  readonly name: string;
  readonly tasks: readonly string[];
  /** Keys by the part of the recipe, or section of it, that they stand in. */
  readonly keys: Readonly<Record<string, Readonly<Record<string, z.ZodType>>>>;
  /** Rules of recipes for these tasks. */
  readonly rules: readonly KeyRule[];
  /** Rules of recipes for other tasks. */
  readonly elsewhere?: readonly KeyRule[];
}

/** Rule that refuses a key, unless it is an empty list, in recipes for a task. */
export function noKey(task: string, key: string, why: string): KeyRule {
  return {
    keys: [key],
    when: (value: unknown) => !Array.isArray(value) || value.length > 0,
    because: `no such key for ${task}: ${why}`,
    isSpare: true,
  };
}

/** Rule that refuses a student from a file or module, which `key` of `student` names, in recipes for a task; `models`: what to name instead. */
export function noFileOf(task: string, key: string, models: string): KeyRule {
  return {
    keys: [`student.${key}`],
    when: () => true,
    because: `a model of the registry for ${task}: ${models}`,
    received: key,
  };
}

/** Rule that refuses a key beside another one. */
export function beside(key: string, other: string, because: KeyRule['because'], hint?: string): KeyRule {
  const when = (_given: unknown, second: unknown): boolean => second !== undefined;
  return { keys: [key, other], when, because, ...(hint !== undefined && { hint }) };
}

/** Rule that refuses a key without another one. */
export function without(key: string, other: string, because: string, received: string): KeyRule {
  return { keys: [key, other], when: (_given: unknown, second: unknown) => second === undefined, because, received };
}

/** Rule that refuses a key, or one of its values, in recipes for other tasks than those that read it. */
export function belongs(name: string, key: string, value?: unknown): KeyRule {
  return {
    keys: [key, 'dataset.task'],
    when: (given: unknown) => value === undefined || given === value,
    because: (_given: unknown, task = 'classification') => `no such key for ${task}: it belongs to ${name}`,
    ...(value === undefined && { isSpare: true }),
  };
}
