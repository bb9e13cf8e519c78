import { parse } from 'yaml';
import { shown, UserError } from '../base/errors.ts';
import type { KeyPath } from './source.ts';

/** One `--set distill.temperature=2`, with its text for messages. */
export interface Override {
  readonly text: string;
  readonly path: KeyPath;
  readonly value: unknown;
}

/** A change as given; `option`: its source, if not `--set`. */
export type RecipeChange = string | { readonly text: string; readonly option: string };

export function parseOverride(setting: RecipeChange): Override {
  const { text, option } = typeof setting === 'string' ? { text: setting, option: '--set' } : setting;
  const equals = text.indexOf('=');
  const keys = text.slice(0, equals).split('.');
  if (equals < 1 || keys.some((key) => key === '')) {
    throw new UserError(
      `${option}: expected key.path=value, received ${shown(text)}`,
      'Write for example --set distill.temperature=2.',
    );
  }
  if (keys.some((key) => key === '__proto__' || key === 'constructor' || key === 'prototype')) {
    throw new UserError(`${option} ${text}: no such key`, 'Run `limbeck schema` to see the keys.');
  }
  const path = keys.map((key) => (/^\d+$/.test(key) ? Number(key) : key));
  try {
    return { text: `${option} ${text}`, path, value: parse(text.slice(equals + 1)) as unknown };
  } catch {
    throw new UserError(
      `${option} ${text}: the value is not valid YAML`,
      'Put text with special characters in quotes.',
    );
  }
}

/** A copy of `data` with the value set; missing mappings along the path are created. */
export function applyOverride(data: unknown, { path, value, text }: Override): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return value;
  if (Array.isArray(data)) {
    if (typeof head !== 'number' || head > data.length) {
      throw new UserError(
        `${text}: expected the position of one of ${data.length} list items (from 0), received ${shown(head)}`,
        'Name the item by its number, for example --set prune.0.amount=0.2.',
      );
    }
    const copy = [...(data as unknown[])];
    copy[head] = applyOverride(copy[head], { path: rest, value, text });
    return copy;
  }
  const object = typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : {};
  return { ...object, [head]: applyOverride(object[head], { path: rest, value, text }) };
}
