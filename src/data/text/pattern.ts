/** Character classes of Oniguruma; JavaScript's \s has U+FEFF and not U+0085, its \d and \w are ASCII. */
const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}';
const CLASSES: Readonly<Record<string, readonly [inside: string, alone: string]>> = {
  s: ['\\p{White_Space}', '\\p{White_Space}'],
  S: ['\\P{White_Space}', '\\P{White_Space}'],
  d: ['\\p{Nd}', '\\p{Nd}'],
  D: ['\\P{Nd}', '\\P{Nd}'],
  w: [WORD, `[${WORD}]`],
  W: ['', `[^${WORD}]`],
};

/** `{String}` or `{Regex}` of a tokenizer.json as a global RegExp; an Error for what JavaScript would read otherwise. */
export function patternOf(pattern: unknown): RegExp {
  const { String: text, Regex: source } = pattern as { readonly String?: string; readonly Regex?: string };
  if (text !== undefined) return new RegExp(text.replace(/[$^\\.*+?()[\]{}|/-]/g, '\\$&').replace(/\\-/g, '-'), 'gu');
  if (source === undefined) throw new Error('a pattern is neither a text nor a regular expression');
  return new RegExp(translated(source), 'gu');
}

/** Pattern of Oniguruma, with which the Rust package compiles patterns, translated to JavaScript. */
function translated(source: string): string {
  const refuse = (what: string): Error => new Error(`the pattern ${source} holds ${what}, which is not supported`);
  let out = '';
  /** Depth of groups, and at which of them letters of both cases count as one. */
  let depth = 0;
  const folded: number[] = [];
  let inClass = false;
  for (let i = 0; i < source.length; i++) {
    const letter = source[i]!;
    const rest = source.slice(i);
    if (letter === '\\') {
      const next = source[++i] ?? '';
      const found = CLASSES[next];
      if (found !== undefined) {
        if (inClass && found[0] === '') throw refuse(`\\${next} in a class`);
        out += found[inClass ? 0 : 1];
      } else if (/[pP]/.test(next)) {
        const name = /^\{\^?[A-Za-z_]+\}/.exec(source.slice(i + 1))?.[0];
        if (name === undefined || name.includes('^')) throw refuse(`\\${next} without a plain name`);
        out += `\\${next}${name}`;
        i += name.length;
      } else if (/[nrtfv0]/.test(next) || /[$^\\.*+?()[\]{}|/-]/.test(next)) {
        // Outside a class JavaScript has no \-.
        out += next === '-' && !inClass ? '-' : `\\${next}`;
      } else if (/[^A-Za-z0-9]/.test(next)) out += next;
      else throw refuse(`\\${next}`);
    } else if (inClass) {
      if (letter === '[') throw refuse('a class in a class');
      if (rest.startsWith('&&')) throw refuse('&&');
      if (letter === ']') inClass = false;
      out += folded.length > 0 && /[a-z]/i.test(letter) ? bothCases(rest, refuse) : letter;
    } else if (letter === '[') {
      inClass = true;
      out += letter;
    } else if (letter === '(') {
      depth++;
      const head = /^\(\?(?:i:|:|=|!|<=|<!)/.exec(rest)?.[0];
      if (head === undefined && source[i + 1] === '?') throw refuse(rest.slice(0, 4));
      if (head === '(?i:') folded.push(depth);
      out += head === '(?i:' ? '(?:' : (head ?? '(?:');
      i += (head?.length ?? 1) - 1;
    } else if (letter === ')') {
      if (folded.at(-1) === depth) folded.pop();
      depth--;
      out += letter;
    } else if (/^(?:[*+?]|\{\d+,?\d*\})\+/.test(rest)) throw refuse('a possessive quantifier');
    else if (/[$^.]/.test(letter)) throw refuse(letter);
    else
      out += folded.length > 0 && /[a-z]/i.test(letter) ? `[${letter.toLowerCase()}${letter.toUpperCase()}]` : letter;
  }
  return out;
}

function bothCases(rest: string, refuse: (what: string) => Error): string {
  if (rest[1] === '-') throw refuse('a range of letters of either case');
  return `${rest[0]!.toLowerCase()}${rest[0]!.toUpperCase()}`;
}
