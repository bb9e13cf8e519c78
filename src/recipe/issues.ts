import type { z } from 'zod';
import { nearest, shown } from '../base/errors.ts';
import type { ProposedChange } from '../base/errors.ts';
import type { KnownKeys } from './keys.ts';
import { pathText, valueAt } from './source.ts';
import type { KeyPath } from './source.ts';

type Issue = z.core.$ZodIssue;

/** Problem with a value, in the words of the error message. */
export interface Complaint {
  readonly path: KeyPath;
  /** A key of the value at `path` that should not exist. */
  readonly key?: string;
  readonly fact: string;
  readonly hint: string;
  /** Changes of the recipe that the hint asks for. */
  readonly changes?: readonly ProposedChange[];
}

const SEE_SCHEMA = 'Run `limbeck schema` to see every key with its meaning.';

/** Converts zod's issues to complaints; `keysAt`: keys that the schema knows at a path. */
export function complaintsOf(
  issues: readonly Issue[],
  data: unknown,
  keysAt: (path: KeyPath) => KnownKeys,
): Complaint[] {
  return issues.flatMap((issue) => complain(issue, [], data, keysAt));
}

function complain(issue: Issue, base: KeyPath, data: unknown, keysAt: (path: KeyPath) => KnownKeys): Complaint[] {
  const path = asWritten([...base, ...(issue.path as (string | number)[])], data);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey(path, key, keysAt(path)));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const branch = likeliest(issue.errors, valueAt(data, path));
    if (branch !== undefined) return branch.flatMap((inner) => complain(inner, path, data, keysAt));
  }
  const value = decisive(issue, valueAt(data, path));
  const { received, hint: own, isSpare } = (issue.code === 'custom' ? issue.params : undefined) ?? {};
  if (isSpare === true)
    return [
      {
        path,
        fact: `expected ${expected(issue)}, received ${String(received)}`,
        hint: `Take ${pathText(path)} out.`,
        changes: [{ path, value: undefined }],
      },
    ];
  const shownValue =
    received !== undefined ? String(received) : typeof value === 'number' ? String(value) : shown(value);
  const meant = typeof value === 'string' ? nearest(value, choices(issue)) : undefined;
  const hint =
    meant !== undefined ? `Did you mean ${meant}?` : typeof own === 'string' ? own : remedy(path, value, issue, keysAt);
  const { discriminator } = issue as { readonly discriminator?: string };
  const isInside = discriminator !== undefined && valueAt(data, path) !== value;
  const at = isInside ? [...path, discriminator] : path;
  const changes = meant === undefined ? [] : [{ path: at, value: meant }];
  return [{ path, fact: `expected ${expected(issue)}, received ${shownValue}`, hint, changes }];
}

function unknownKey(path: KeyPath, key: string, { keys: known, chosenBy, elsewhere }: KnownKeys): Complaint {
  const others = elsewhere(key);
  if (chosenBy !== undefined && others.length > 0) {
    const fact = `not read beside ${chosenBy.key}: ${chosenBy.value}`;
    const changes = [{ path: [...path, key], value: undefined }];
    return { path, key, fact, hint: `Take it out: it belongs to ${chosenBy.key}: ${listed(others)}.`, changes };
  }
  const meant = nearest(key, known);
  const hint = meant !== undefined ? `Did you mean ${meant}?` : `Known keys: ${known.join(', ')}.`;
  const changes = meant === undefined ? [] : [{ path: [...path, key], rename: meant }];
  return { path, key, fact: 'unknown key', hint, changes };
}

/** The path without the place in a list that stands for a single mapping. */
function asWritten(path: KeyPath, data: unknown): KeyPath {
  return path.filter((part, i) => typeof part !== 'number' || Array.isArray(valueAt(data, path.slice(0, i))));
}

/**
 * The alternative of a union that the user probably meant: among those that accept the kind of value, the one with the fewest problems. An unknown
 * key weighs more than a wrong value, because keys identify the alternative.
 */
function likeliest(branches: readonly (readonly Issue[])[], value: unknown): readonly Issue[] | undefined {
  const plausible = branches.filter((issues) => !issues.some((issue) => issue.path.length === 0 && fundamental(issue)));
  if (plausible.length === 0) return undefined;
  const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  if (isEmpty && plausible.length > 1) return undefined;
  const weight = (issues: readonly Issue[]): number =>
    issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? 10 * issue.keys.length : 1), 0);
  return [...plausible].sort((a, b) => weight(a) - weight(b))[0];
}

function fundamental(issue: Issue): boolean {
  return issue.code === 'invalid_type' || issue.code === 'invalid_value';
}

function expected(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return KINDS[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return oneOf(choices(issue));
    case 'too_small':
      return sized(issue.origin, issue.inclusive ? '≥' : '>', 'at least', issue.minimum);
    case 'too_big':
      return sized(issue.origin, issue.inclusive ? '≤' : '<', 'at most', issue.maximum);
    case 'invalid_format':
      return issue.pattern === undefined ? issue.format : 'letters, digits, dot, dash and underscore';
    case 'invalid_union':
      if (issue.errors.length === 0) return oneOf(choices(issue));
      return [...new Set(issue.errors.flatMap((branch) => branch.filter(fundamental).map(expected)))].join(' or ');
    case 'custom':
      return String(issue.params?.['expected'] ?? issue.message);
    default:
      return issue.message;
  }
}

const KINDS: Record<string, string> = {
  number: 'a number',
  int: 'a whole number',
  string: 'text',
  boolean: 'true or false',
  object: 'a mapping',
  array: 'a list',
  tuple: 'a list',
};

function oneOf(values: readonly string[]): string {
  return values.length === 1 ? values[0]! : `one of ${values.join(', ')}`;
}

function listed(values: readonly string[]): string {
  return values.length === 1 ? values[0]! : `${values.slice(0, -1).join(', ')} or ${values.at(-1)!}`;
}

function sized(origin: string, sign: string, words: string, limit: number | bigint): string {
  if (origin === 'string') return `text of ${words} ${limit} characters`;
  if (origin === 'array') return `a list of ${words} ${limit} items`;
  return `a number ${sign} ${limit}`;
}

/** The value that the issue is about: for a mapping with an unusable `type`, that `type`. */
function decisive(issue: Issue, value: unknown): unknown {
  const { discriminator } = issue as { discriminator?: string };
  if (discriminator === undefined || typeof value !== 'object' || value === null) return value;
  return (value as Record<string, unknown>)[discriminator];
}

/** Allowed values, if they can be listed. For a mapping with `type`, zod reports them outside of its types. */
function choices(issue: Issue): string[] {
  if (issue.code === 'invalid_value') return issue.values.map(String);
  // Leaves out undefined, which stands for the default: the list has it by name.
  const options = (issue as { options?: readonly unknown[] }).options ?? [];
  return options.filter((option) => option !== undefined).map(String);
}

function remedy(path: KeyPath, value: unknown, issue: Issue, keysAt: (path: KeyPath) => KnownKeys): string {
  if (path.length === 0) return SEE_SCHEMA;
  const key = pathText(path);
  const isScalar = value !== undefined && (typeof value !== 'object' || value === null);
  const keys = isScalar && expected(issue) === KINDS['object'] ? keysAt(path).keys : [];
  if (keys.length > 0) return `Write it with its keys: ${key}: { ${keys[0]!}: … }. Known keys: ${keys.join(', ')}.`;
  const isOne = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (issue.code === 'invalid_type' && issue.expected === 'array' && isOne)
    return `Write it as a list of one: ${key}: [{ … }].`;
  return `${value === undefined ? `Add ${key}.` : `Change ${key}, or leave it out if it has a default.`} ${SEE_SCHEMA}`;
}
