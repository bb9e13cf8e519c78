import { ask, askJson } from './ask.ts';
import type { Element } from './dom.ts';
import { byId, make, say } from './make.ts';

interface Operation {
  readonly tags: readonly string[];
  readonly summary: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: object }>> };
  readonly responses: Readonly<Record<string, Answer>>;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
}

interface Answer {
  readonly description: string;
  readonly content?: Readonly<Record<string, { readonly schema?: object }>>;
}

type PathItem = { readonly parameters?: readonly Parameter[] } & { readonly [verb in 'get' | 'post']?: Operation };

interface Document {
  readonly info: { readonly description: string; readonly version: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, PathItem>>;
}

/** The OpenAPI document for people to read. */
async function open(): Promise<void> {
  const { info, tags, paths } = await askJson<Document>('openapi.json');
  say(
    byId('sub'),
    `${info.description} Errors are {"error": "what is wrong"}. Where the server has tokens: Authorization: Bearer TOKEN.`,
  );
  byId('api').replaceChildren(
    make('p', {}, make('button', { type: 'button', click: () => void download() }, 'Download openapi.json')),
    ...tags.map(({ name, description }) => section(name, description, paths)),
  );
  say(byId('foot'), `Limbeck ${info.version}.`);
}

/** Download of the description, by fetching it: a plain link to the server would send no token. */
async function download(): Promise<void> {
  const url = URL.createObjectURL(await (await ask('openapi.json')).blob());
  make('a', { href: url, download: 'openapi.json' }).click();
  URL.revokeObjectURL(url);
}

function section(tag: string, description: string, paths: Document['paths']): Element {
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    (['get', 'post'] as const).flatMap((verb) => {
      const operation = item[verb];
      return operation?.tags.includes(tag) ? [operationElement(verb, path, item.parameters ?? [], operation)] : [];
    }),
  );
  return make('section', {}, make('h2', {}, tag), make('p', {}, description), ...operations);
}

function operationElement(verb: string, path: string, shared: readonly Parameter[], operation: Operation): Element {
  const { summary, parameters = [], requestBody, responses } = operation;
  const all = [...shared, ...parameters].map(
    ({ name, in: place, description = '' }) => `${name} (${place})${description && `: ${description}`}`,
  );
  const given = Object.entries(requestBody?.content ?? {});
  const plain = given.filter(([, { schema }]) => schema === undefined).map(([type]) => type);
  const bodies = [
    ...(plain.length === 0 ? [] : [content('Body', plain.join(', '), undefined)]),
    ...given.flatMap(([type, { schema }]) => (schema === undefined ? [] : [content('Body', type, schema)])),
  ];
  const answers = Object.entries(responses).flatMap(([status, { description, content: types = {} }]) =>
    Object.entries(types).map(([type, { schema }]) =>
      content(`${status === 'default' ? 'Else' : status}: ${description}`, type, schema),
    ),
  );
  return make(
    'details',
    { class: 'op' },
    make(
      'summary',
      {},
      make('b', { class: 'verb' }, verb.toUpperCase()),
      make('code', {}, path),
      make('span', {}, summary),
    ),
    all.length === 0 ? undefined : make('p', { class: 'soft' }, `Parameters: ${all.join('; ')}`),
    ...bodies,
    ...answers,
  );
}

function content(what: string, type: string, schema: object | undefined): Element {
  return make(
    'div',
    {},
    make('p', { class: 'soft' }, `${what} (${type})`),
    schema === undefined ? undefined : make('pre', { tabindex: 0 }, shapeOf(schema as Schema, '')),
  );
}

interface Schema {
  readonly type?: string;
  readonly $ref?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly prefixItems?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly description?: string;
}

/** A schema as one would write an example of it. */
function shapeOf(schema: Schema, indent: string): string {
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1)!;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined)
    return (
      schema.enum
        .slice(0, 12)
        .map((value) => JSON.stringify(value))
        .join(' | ') + (schema.enum.length > 12 ? ' | …' : '')
    );
  if (schema.anyOf !== undefined) return schema.anyOf.map((one) => shapeOf(one, indent)).join(`\n${indent}or `);
  if (schema.prefixItems !== undefined) return `[${schema.prefixItems.map((one) => shapeOf(one, indent)).join(', ')}]`;
  if (schema.type === 'array') {
    const exact = schema.minItems !== undefined && schema.minItems === schema.maxItems ? ` × ${schema.minItems}` : '';
    const inner = schema.items === undefined ? '…' : shapeOf(schema.items, indent);
    return `[${inner}${exact || (schema.items === undefined ? '' : ', …')}]`;
  }
  const properties = Object.entries(schema.properties ?? {});
  if (properties.length === 0) return schema.type ?? 'anything';
  const deeper = `${indent}  `;
  const lines = properties.map(
    ([name, value]) => `${deeper}${name}${schema.required?.includes(name) ? '' : '?'}: ${shapeOf(value, deeper)}`,
  );
  return `{\n${lines.join('\n')}\n${indent}}`;
}

open().catch((error: unknown) => {
  say(byId('lead'), 'The server cannot be asked');
  say(byId('state'), (error as Error).message);
});
