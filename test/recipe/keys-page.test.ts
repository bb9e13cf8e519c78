// Needs the features boxes, labels, mask, numbers, tags and vector.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { recipeJsonSchema } from '../../src/recipe/schema.ts';
import { ROOT } from '../support/built.ts';

interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly (string | number)[];
  readonly const?: string | number | boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
}

/** What the schema says of a key, in each place of a union that has it. */
interface Key {
  readonly values: Set<string>;
  readonly defaults: Set<string>;
  readonly words: Set<string>;
}

const membersOf = ({ anyOf, oneOf }: Node): readonly Node[] => anyOf ?? oneOf ?? [];

/** The values that a key takes, in words. */
function valuesOf(node: Node): string[] {
  const inner = membersOf(node);
  if (inner.length > 0) return inner.flatMap(valuesOf);
  if (node.const !== undefined) return [`\`${node.const}\``];
  if (node.enum !== undefined) return node.enum.map((value) => `\`${value}\``);
  if (node.type === 'array') return ['list'];
  if (node.type === 'object') return ['keys'];
  if (node.type === 'string' || node.type === 'boolean') return [node.type];
  const from = node.minimum ?? node.exclusiveMinimum;
  const to = node.maximum ?? node.exclusiveMaximum;
  const bounds = [
    ...(from === undefined || from < -1e15 ? [] : [`${node.minimum === undefined ? '>' : '≥'} ${from}`]),
    ...(to === undefined || to > 1e15 ? [] : [`${node.maximum === undefined ? '<' : '≤'} ${to}`]),
  ];
  return node.type === undefined ? [] : [[node.type, ...bounds].join(' ')];
}

function collect(node: Node, at: string, keys: Map<string, Key>): void {
  for (const [name, key] of Object.entries(node.properties ?? {})) {
    const where = at === '' ? name : `${at}.${name}`;
    const known = keys.get(where) ?? { values: new Set(), defaults: new Set(), words: new Set() };
    keys.set(where, known);
    for (const value of valuesOf(key)) known.values.add(value);
    const isPlain =
      key.default !== undefined && !(typeof key.default === 'object' && Object.keys(key.default!).length > 0);
    if (isPlain) known.defaults.add(`\`${JSON.stringify(key.default)}\``);
    if (key.description !== undefined) known.words.add(key.description);
    collect(key, where, keys);
  }
  const inside = [...membersOf(node), node.items, node.additionalProperties].filter(
    (inner) => typeof inner === 'object',
  );
  for (const inner of inside) collect(inner, at, keys);
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('<', '\\<');

function tableOfKeys(): string {
  const keys = new Map<string, Key>();
  collect(recipeJsonSchema('inline'), '', keys);
  const parts = [...new Set([...keys.keys()].map((name) => name.split('.')[0]!))];
  const pages = parts.map((part) => {
    const rows = [...keys].filter(([name]) => name.split('.')[0] === part);
    const lines = rows.map(
      ([name, { values, defaults, words }]) =>
        `| \`${name}\` | ${[...values].map(cell).join(', ')} | ${[...defaults].map(cell).join(', ')} | ${[...words].map(cell).join(' ')} |`,
    );
    return `## ${part}\n\n| key | values | default | what it is |\n| --- | --- | --- | --- |\n${lines.join('\n')}\n`;
  });
  return `# All keys of a recipe\n\n\`\`\`sh\nlimbeck schema # the same as a JSON schema, for editors\n\`\`\`\n\nWhere a key has several rows of values or defaults, another key beside it chooses among them. \`limbeck validate recipe.yaml\` names a wrong key with line and column.\n\n${pages.join('\n')}`;
}

it('docs/keys.md is what the schema says (UPDATE_DOCS=1 writes it anew)', () => {
  const file = path.join(ROOT, 'docs/keys.md');
  const text = tableOfKeys();
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(file, text);
  else expect(readFileSync(file, 'utf8')).toBe(text);
});
