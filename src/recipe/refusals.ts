import { shown } from '../base/errors.ts';
import { RECIPE_PARTS } from './rule.ts';
import type { KeyRule } from './rule.ts';
import { valueAt } from './source.ts';
import type { KeyPath } from './source.ts';

type Asked<T> = (...values: unknown[]) => T;

/** A key of a recipe that breaks a rule. */
interface Refusal {
  readonly path: KeyPath;
  readonly expected: string;
  /** Default: the value as it is written. */
  readonly received: string | undefined;
  readonly hint?: string | undefined;
  readonly isSpare?: boolean | undefined;
}

/** What is wrong in a recipe by the rules; the loop that refuses. */
export function refusals(recipe: unknown, rules: readonly KeyRule[]): Refusal[] {
  return rules.flatMap((rule) => placesOfRule(rule.keys, recipe).flatMap((place) => broken(rule, place, recipe)));
}

/** Paths of a rule's keys at one of its places, and what stands there for each `*`. */
interface RulePlace {
  readonly paths: readonly KeyPath[];
  readonly stars: KeyPath;
}

function broken(rule: KeyRule, { paths, stars }: RulePlace, recipe: unknown): Refusal[] {
  const { when, because, received, hint, isOfAbsent = false, isSpare } = rule;
  const values = [...paths.map((path) => valueAt(recipe, path)), ...stars];
  const [value] = values;
  if ((value === undefined && !isOfAbsent) || !(when as Asked<boolean>)(...values)) return [];
  const expected = typeof because === 'string' ? because : (because as Asked<string>)(...values);
  const got = typeof received === 'function' ? (received as Asked<unknown>)(...values) : (received ?? value);
  const remedy = typeof hint === 'function' ? (hint as Asked<string | undefined>)(...values) : hint;
  return [{ path: paths[0]!, expected, received: got === undefined ? undefined : textOf(got), hint: remedy, isSpare }];
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(',');
  return typeof value === 'string' || typeof value === 'number' ? `${value}` : shown(value);
}

/** Places of a rule's keys in a recipe. */
export function placesOfRule([first, ...others]: KeyRule['keys'], recipe: unknown): RulePlace[] {
  const [part = '', ...rest] = first.split('.');
  const parts: readonly string[] | undefined = Object.hasOwn(RECIPE_PARTS, part)
    ? RECIPE_PARTS[part as keyof typeof RECIPE_PARTS]
    : undefined;
  if (parts === undefined) return expanded(first.split('.'), others, recipe);
  return parts.flatMap((place) => {
    const inPlace = (key: string): string =>
      key === part || key.startsWith(`${part}.`) ? place + key.slice(part.length) : key;
    const at = place.split('.');
    return expanded([...at, ...rest], others.map(inPlace), recipe).filter(
      ({ paths }) => valueAt(recipe, paths[0]!.slice(0, at.length)) !== undefined,
    );
  });
}

/** Places of a path with `*`; those in `others` stand for the same. */
function expanded(path: readonly string[], others: readonly string[], recipe: unknown): RulePlace[] {
  let found: { readonly at: KeyPath; readonly stars: KeyPath }[] = [{ at: [], stars: [] }];
  for (const part of path.filter((one) => one !== ''))
    found = found.flatMap(({ at, stars }) =>
      part === '*'
        ? keysOf(valueAt(recipe, at)).map((key) => ({ at: [...at, key], stars: [...stars, key] }))
        : [{ at: [...at, part], stars }],
    );
  return found.map(({ at, stars }) => {
    const paths = others.map((key) => {
      let star = 0;
      return key.split('.').map((part) => (part === '*' ? stars[star++]! : part));
    });
    return { paths: [at, ...paths], stars };
  });
}

function keysOf(value: unknown): KeyPath {
  if (Array.isArray(value)) return value.map((_, i) => i);
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}
