import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Document, Node, Pair, YAMLError } from 'yaml';
import { UserError } from '../base/errors.ts';
import type { Problem } from '../base/errors.ts';
import { refuseExcess } from './yaml.ts';

export type KeyPath = readonly (string | number)[];

export function pathText(path: KeyPath): string {
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('');
}

export function valueAt(data: unknown, path: KeyPath): unknown {
  let value = data;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}

/** Parsed YAML with the positions of keys and values. */
export interface RecipeSource {
  readonly file: string;
  readonly data: unknown;
  /** Position of the value at `path`, or of the nearest enclosing value; `key`: a key of that value. */
  locate(path: KeyPath, key?: string): SourcePlace;
}

/** Line and column from 1. */
export interface SourcePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** `file:line:column`, which terminals turn into a link. */
export function sourceText({ file, line, column }: SourcePlace): string {
  return `${file}:${line}:${column}`;
}

export function parseSource(text: string, file: string): RecipeSource {
  refuseExcess(text, file);
  const lines = new LineCounter();
  // `merge`: `<<` of YAML 1.1, which is common for sharing settings.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true, logLevel: 'error' });
  const at = (offset: number): SourcePlace => {
    const { line, col: column } = lines.linePos(offset);
    return { file, line, column };
  };
  // An unknown tag is only a warning to the parser, which would drop its value.
  const errors = [...document.errors, ...document.warnings];
  if (errors.length > 0) throw yamlErrors(errors, at);
  let data: unknown;
  try {
    data = document.toJS() as unknown;
  } catch (error) {
    // Resource exhaustion by nested aliases, or an alias without an anchor.
    const fact = error instanceof Error ? error.message : String(error);
    throw new UserError(`${file}: not usable YAML: ${fact}`, 'Write the values out instead of using aliases.', {
      kind: 'recipe',
    });
  }
  return { file, data, locate: (path, key) => at(offsetOf(document, path, key)) };
}

const REMEDIES: Partial<Record<YAMLError['code'], string>> = {
  DUPLICATE_KEY: 'Keep one of the two.',
  MULTIPLE_DOCS: 'Keep one recipe in a file, and no line of ---.',
  TAG_RESOLVE_FAILED: 'Leave out what begins with an exclamation mark.',
};

function yamlErrors(errors: readonly YAMLError[], at: (offset: number) => SourcePlace): UserError {
  const problems = errors.slice(0, 5).map((error): Problem => {
    const place = at(error.pos[0]);
    const message = `${sourceText(place)} ${yamlFact(error)}`;
    return { ...place, key: null, message, hint: REMEDIES[error.code] ?? USUAL_REMEDY };
  });
  return new UserError(problems.map(({ message }) => message).join('\n'), problems[0]!.hint, {
    kind: 'recipe',
    problems,
  });
}

const USUAL_REMEDY = 'Correct the line; indentation and brackets are the usual causes.';

function yamlFact({ code, message }: YAMLError): string {
  if (code === 'DUPLICATE_KEY') return 'this key stands twice in the same mapping';
  if (code === 'MULTIPLE_DOCS') return 'a second YAML document begins here';
  return `not valid YAML: ${firstLine(message)}`;
}

function firstLine(text: string): string {
  return text.split('\n')[0]!.replace(/ at line \d+, column \d+:?$/, '');
}

function offsetOf(document: Document, path: KeyPath, key: string | undefined): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const part of path) {
    const next = childOf(resolved(node, document), part);
    if (next === undefined) return offset;
    node = next.value;
    offset = startOf(node) ?? startOf(next.key) ?? offset;
  }
  if (key !== undefined) offset = startOf(childOf(resolved(node, document), key)?.key) ?? offset;
  return offset;
}

function resolved(node: unknown, document: Document): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

function childOf(node: unknown, part: string | number): { key: unknown; value: unknown } | undefined {
  if (isSeq(node) && typeof part === 'number') {
    const value = node.items[part];
    return value === undefined ? undefined : { key: undefined, value };
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find((item) => isPair(item) && keyText(item) === String(part));
  return pair === undefined ? undefined : { key: pair.key, value: pair.value };
}

function keyText(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}
