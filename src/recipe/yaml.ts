import { CST, Parser, stringify } from 'yaml';
import { printable, UserError } from '../base/errors.ts';

/** Maximum characters of a file, keys of a mapping, nesting depth, and aliases: recipes have a hundredth of each. */
const MOST = { letters: 2 ** 21, keys: 5000, depth: 50, aliases: 1000 };

/**
 * Refuses YAML that its parser would take minutes for, or never finish: it compares each key with all others of its mapping, searches for anchors
 * from the start, serializes keys that are collections again and again, and recurses into nested values.
 */
export function refuseExcess(text: string, file: string): void {
  if (text.length > MOST.letters) throw tooMuch(file, `${text.length} letters`, MOST.letters);
  let aliases = 0;
  const left = [...new Parser().parse(text)].map((token): [CST.Token, number] => [token, 0]);
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const [token, depth] = next;
    if (token.type === 'alias' && ++aliases > MOST.aliases)
      throw tooMuch(file, `more than ${MOST.aliases} aliases`, MOST.aliases);
    if (token.type === 'document' && token.value !== undefined) left.push([token.value, depth]);
    if (!CST.isCollection(token)) continue;
    const { items } = token;
    const isMapping = token.type === 'block-map' || (token.type === 'flow-collection' && token.start.source === '{');
    if (isMapping && items.length > MOST.keys) throw tooMuch(file, `${items.length} keys in one mapping`, MOST.keys);
    if (depth >= MOST.depth) throw tooMuch(file, `values in more than ${MOST.depth} others`, MOST.depth);
    for (const { key, value } of items) {
      if (CST.isCollection(key))
        throw new UserError(
          `${file}: not usable YAML: a key is a list or a mapping, expected a text`,
          'Correct the line; a question mark at its start is the usual cause.',
          { kind: 'recipe' },
        );
      for (const inner of [key, value]) if (inner !== undefined && inner !== null) left.push([inner, depth + 1]);
    }
  }
}

function tooMuch(file: string, received: string, most: number): UserError {
  return new UserError(
    `${file}: not usable YAML: received ${received}, expected at most ${most}`,
    'Check that this is the file that was meant; names of many classes can stand in the data.',
    { kind: 'recipe' },
  );
}

/**
 * A text as YAML in one line, as the library writes it, for a value or a key in a block or within brackets. Names in data may hold line breaks, brackets
 * and signs that turn the order of letters: all of them are escaped.
 */
export function yamlText(text: string): string {
  const defaultStringType = /^(\.{1,2}\/)?[A-Za-z_][\w./-]*$/.test(text) ? 'PLAIN' : 'QUOTE_DOUBLE';
  return printable(
    stringify(text, { compat: 'yaml-1.1', defaultStringType, doubleQuotedAsJSON: true, lineWidth: 0 }).trimEnd(),
  );
}
