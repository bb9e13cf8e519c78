import { clipped, UserError } from '../../../base/errors.ts';

/** An element of an XML document. */
export interface XmlElement {
  readonly name: string;
  /** Line of its start, from 1. */
  readonly line: number;
  readonly children: readonly XmlElement[];
  /** Its own text, without that of its children, trimmed. */
  readonly text: string;
}

interface OpenElement extends XmlElement {
  readonly children: XmlElement[];
  text: string;
}

const NAME = '[A-Za-z_:][\\w:.-]*';
const ATTRIBUTES = `(?:\\s+${NAME}\\s*=\\s*(?:"[^"<]*"|'[^'<]*'))*`;
/** A comment or instruction, plain text of a CDATA section, a tag, or text. */
const TOKEN = new RegExp(
  `<!--[^]*?-->|<\\?[^]*?\\?>|<!\\[CDATA\\[(?<plain>[^]*?)\\]\\]>|<(?<end>/?)(?<name>${NAME})${ATTRIBUTES}\\s*(?<empty>/?)>|(?<text>[^<]+)`,
  'y',
);
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/**
 * Root element of an XML document, without attributes. `UserError` with the line for what is not well-formed, and for document types, whose
 * entities are a way to attack readers.
 */
export function parseXml(document: string, file: string): XmlElement {
  const root: OpenElement = { name: '', line: 1, children: [], text: '' };
  const open = [root];
  let line = 1;
  const refuse = (what: string): never => {
    throw new UserError(
      `${file}:${line}: not usable XML: ${what}`,
      'Get the file again, or export the annotations anew.',
    );
  };
  TOKEN.lastIndex = 0;
  const body = document.replace(/^\uFEFF/, '');
  while (TOKEN.lastIndex < body.length) {
    const start = TOKEN.lastIndex;
    const token = TOKEN.exec(body);
    if (token === null) return refuse(`unexpected ${clipped(body.slice(start, start + 40)).split('\n')[0]!}`);
    const { plain, end, name, empty, text } = token.groups!;
    const inner = open.at(-1)!;
    if (plain !== undefined) inner.text += plain;
    if (text !== undefined) {
      if (inner === root && text.trim() !== '') refuse(`text outside of the root element: ${clipped(text.trim())}`);
      inner.text += text.replace(
        /&([^;\s]*);?/g,
        (written, entity: string) => decoded(entity) ?? refuse(`unknown entity ${written}`),
      );
    }
    if (name !== undefined && end === '/') {
      if (inner === root || inner.name !== name)
        refuse(`</${name}> ends ${inner === root ? 'no element' : `<${inner.name}> of line ${inner.line}`}`);
      if (empty === '/') refuse(`</${name}/>`);
      inner.text = inner.text.trim();
      open.pop();
    } else if (name !== undefined) {
      if (inner === root && root.children.length > 0) refuse(`a second root element <${name}>`);
      const element: OpenElement = { name, line, children: [], text: '' };
      inner.children.push(element);
      if (empty !== '/') open.push(element);
    }
    for (const letter of token[0]) if (letter === '\n') line++;
  }
  const inner = open.at(-1)!;
  if (inner !== root) refuse(`<${inner.name}> of line ${inner.line} does not end`);
  return root.children[0] ?? refuse('no element');
}

/** Letters of an entity; undefined for one that XML itself does not have. */
function decoded(entity: string): string | undefined {
  const [, hex, decimal] = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(entity) ?? [];
  const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
  if (code >= 1 && code <= 0x10ffff) return String.fromCodePoint(code);
  return Object.hasOwn(ENTITIES, entity) ? ENTITIES[entity] : undefined;
}
