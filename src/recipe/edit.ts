import { isMap, isPair, isScalar, isSeq, parseDocument } from 'yaml';
import type { Node, Pair, YAMLMap } from 'yaml';
import { UserError } from '../base/errors.ts';
import type { ProposedChange } from '../base/errors.ts';
import { canonicalJson } from './diff.ts';
import { applyOverride } from './overrides.ts';
import { parseSource, pathText, valueAt } from './source.ts';
import type { KeyPath } from './source.ts';
import { yamlText } from './yaml.ts';

/**
 * Text of a recipe after changes; all other characters, comments too, stay as they are. `UserError` for a change that cannot be made so, such as one of
 * a value that stands elsewhere under an anchor.
 */
export function editedRecipe(text: string, changes: readonly ProposedChange[], file: string): string {
  return changes.reduce((before, change) => edited(before, change, file), text);
}

function edited(text: string, change: ProposedChange, file: string): string {
  const { data } = parseSource(text, file);
  const [from, to, by] = editOf(text, change) ?? [0, 0, ''];
  const after = text.slice(0, from) + by + text.slice(to);
  if (dataOf(after, file) === canonicalJson(changed(data, change))) return after;
  throw new UserError(
    `${file}: ${pathText(change.path)} cannot be changed in its place`,
    'rename' in change
      ? `Name it ${change.rename}.`
      : change.value === undefined
        ? 'Take it out.'
        : `Write it by hand: ${pathText(change.path)}: ${flowText(change.value)}`,
  );
}

function dataOf(text: string, file: string): string | undefined {
  try {
    return canonicalJson(parseSource(text, file).data);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** The content of a recipe after a change. */
function changed(data: unknown, change: ProposedChange): unknown {
  const { path } = change;
  if ('value' in change && change.value !== undefined)
    return applyOverride(data, { path, value: change.value, text: pathText(path) });
  const last = path.at(-1)!;
  const parent = valueAt(data, path.slice(0, -1)) as Record<string | number, unknown>;
  const entries = Object.entries(parent).flatMap(([key, value]) =>
    key !== String(last) ? [[key, value]] : 'rename' in change ? [[change.rename, value]] : [],
  );
  return applyOverride(data, { path: path.slice(0, -1), value: Object.fromEntries(entries), text: pathText(path) });
}

/** Characters from `from` to `to` that are replaced. */
type Edit = readonly [from: number, to: number, by: string];

/** Undefined if the place is not found, as behind an alias. */
function editOf(text: string, change: ProposedChange): Edit | undefined {
  let node: unknown = parseDocument(text, { merge: true, logLevel: 'silent' }).contents;
  let pair: Pair | undefined;
  let map: YAMLMap | undefined;
  for (const [i, part] of change.path.entries()) {
    if (isSeq(node)) {
      node = node.items[Number(part)];
      continue;
    }
    const isEmpty = node === null || (isScalar(node) && node.value === null);
    if (isEmpty && pair !== undefined && 'value' in change) return replaced(text, pair, nested(change, i));
    if (!isMap(node)) return undefined;
    map = node;
    pair = map.items.find((one) => isPair(one) && String((one.key as { value?: unknown }).value) === String(part));
    if (pair === undefined) return 'value' in change ? added(text, map, nested(change, i)) : undefined;
    node = pair.value;
  }
  if (pair === undefined || map === undefined) return undefined;
  if ('rename' in change) return [...span(pair.key), change.rename];
  return change.value === undefined ? removed(text, map, pair) : replaced(text, pair, change.value);
}

/** The value of a change inside of the mappings that are missing above it, from part `i` of the path on. */
function nested({ path, value }: { readonly path: KeyPath; readonly value: unknown }, i: number): object {
  return path.slice(i).reduceRight<unknown>((inner, part) => ({ [part]: inner }), value) as object;
}

function span(node: unknown): readonly [number, number] {
  const [start, end] = (node as Node).range!;
  return [start, end];
}

function replaced(text: string, { key, value }: Pair, by: unknown): Edit {
  const [start, end] = value === null ? [span(key)[1] + 1, span(key)[1] + 1] : span(value);
  if (start === end) return [start, end, `${text[start - 1] === ' ' ? '' : ' '}${flowText(by)}`];
  // A block ends with the line break behind it.
  const isLine = text[end - 1] === '\n';
  return [start, isLine ? end - 1 : end, flowText(by)];
}

function added(text: string, map: YAMLMap, keys: object): Edit {
  const last = map.items.at(-1);
  const lines = Object.entries(keys).map(([key, value]) => `${key}: ${flowText(value)}`);
  if (map.flow === true) {
    const at = last === undefined ? span(map)[0] + 1 : span(last.value ?? last.key)[1];
    return [at, at, last === undefined ? ` ${lines.join(', ')} ` : `, ${lines.join(', ')}`];
  }
  const end = span(last!.value ?? last!.key)[1];
  const lineEnd = text[end - 1] === '\n' ? end - 1 : text.indexOf('\n', end);
  const at = lineEnd < 0 ? text.length : lineEnd;
  const [first] = span(map.items[0]!.key);
  const indent = ' '.repeat(first - (text.lastIndexOf('\n', first - 1) + 1));
  return [at, at, lines.map((line) => `\n${indent}${line}`).join('')];
}

function removed(text: string, map: YAMLMap, pair: Pair): Edit {
  const i = map.items.indexOf(pair);
  const [next, before] = [map.items[i + 1], map.items[i - 1]];
  const [start] = span(pair.key);
  const end = span(pair.value ?? pair.key)[1];
  if (map.flow === true) {
    if (next !== undefined) return [start, span(next.key)[0], ''];
    return [before === undefined ? start : span(before.value ?? before.key)[1], end, ''];
  }
  const lineEnd = text[end - 1] === '\n' ? end : text.indexOf('\n', end) + 1;
  return [text.lastIndexOf('\n', start - 1) + 1, lineEnd === 0 ? text.length : lineEnd, ''];
}

/** A value as YAML in one line. */
export function flowText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flowText).join(', ')}]`;
  if (typeof value === 'object' && value !== null)
    return `{ ${Object.entries(value)
      .map(([key, inner]) => `${flowText(key)}: ${flowText(inner)}`)
      .join(', ')} }`;
  return typeof value === 'string' ? yamlText(value) : JSON.stringify(value);
}
