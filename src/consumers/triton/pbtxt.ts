/** The name of an enum's value. */
export interface Word {
  readonly word: string;
}

/** A field: an array is a repeated field, undefined is one that is not set. */
export type PbtxtField = string | number | boolean | Word | PbtxtMessage | readonly PbtxtField[] | undefined;

export interface PbtxtMessage {
  readonly [name: string]: PbtxtField;
}

export function word(name: string): Word {
  return { word: name };
}

/** A map as text has it: a repeated message of key and value. */
export function entries(map: Readonly<Record<string, PbtxtField>>): PbtxtMessage[] {
  return Object.entries(map).map(([key, value]) => ({ key, value }));
}

/** A message in protobuf's text format, a field on a line. */
export function pbtxt(message: PbtxtMessage, indent = ''): string {
  return Object.entries(message)
    .flatMap(([name, value]) => (isList(value) ? value.map((one) => [name, one] as const) : [[name, value] as const]))
    .map(([name, value]) => fieldText(name, value, indent))
    .join('');
}

function fieldText(name: string, value: PbtxtField, indent: string): string {
  if (value === undefined) return '';
  if (typeof value === 'object' && !('word' in value)) {
    return `${indent}${name} {\n${pbtxt(value as PbtxtMessage, `${indent}  `)}${indent}}\n`;
  }
  return `${indent}${name}: ${typeof value === 'object' ? (value as Word).word : scalarText(value)}\n`;
}

function scalarText(value: string | number | boolean): string {
  return typeof value === 'string' ? `"${escaped(value)}"` : String(value);
}

/** Text stays UTF-8; quotes, backslashes and control characters are written as octal, which every reader knows. */
function escaped(text: string): string {
  return text.replaceAll(/["\\\p{Cc}]/gu, (one) =>
    [...Buffer.from(one)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join(''),
  );
}

function isList(value: PbtxtField): value is readonly PbtxtField[] {
  return Array.isArray(value);
}
