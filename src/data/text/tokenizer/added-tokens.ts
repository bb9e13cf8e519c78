/** Token of a tokenizer.json that is found in a text before any other step, such as [SEP]. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly single_word?: boolean;
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
  readonly normalized?: boolean;
  readonly special?: boolean;
}

/** A text between added tokens, or the id of an added token. */
type Part = string | number;

export type Finder = (text: string) => Part[];

const escaped = (text: string): string => text.replace(/[$^\\.*+?()[\]{}|/]/g, '\\$&');
const WORD_END = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u;
const WORD_START = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;

/**
 * Finds the leftmost added token, the longest of several; lstrip and rstrip include adjacent spaces. A token of spaces within those is found too, as
 * by the Rust package.
 */
export function finderOf(tokens: readonly AddedToken[], contentOf: (token: AddedToken) => string): Finder {
  const byContent = new Map(
    tokens.map((token) => [contentOf(token), token] as const).filter(([content]) => content !== ''),
  );
  if (byContent.size === 0) return (text) => (text === '' ? [] : [text]);
  const contents = [...byContent.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(contents.map(escaped).join('|'), 'gu');
  return (text) => {
    const parts: Part[] = [];
    let end = 0;
    for (const match of text.matchAll(pattern)) {
      const token = byContent.get(match[0])!;
      let [start, stop] = [match.index, match.index + match[0].length];
      if (token.single_word === true && (WORD_END.test(text.slice(0, start)) || WORD_START.test(text.slice(stop))))
        continue;
      if (token.lstrip === true) start = Math.max(end, text.slice(0, start).replace(/\p{White_Space}+$/u, '').length);
      if (token.rstrip === true) stop = text.length - text.slice(stop).replace(/^\p{White_Space}+/u, '').length;
      if (start > end) parts.push(text.slice(end, start));
      parts.push(token.id);
      end = stop;
    }
    if (end < text.length) parts.push(text.slice(end));
    return parts;
  };
}
