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

/** `{String}` or `{Regex}` of a tokenizer.json as a global RegExp; an Error for syntax that JavaScript reads differently. */
export function patternOf(pattern: unknown): RegExp {
  const { String: text, Regex: source } = pattern as { readonly String?: string; readonly Regex?: string };
  if (text !== undefined) return new RegExp(text.replace(/[$^\\.*+?()[\]{}|/-]/g, '\\$&').replace(/\\-/g, '-'), 'gu');
  if (source === undefined) throw new Error('a pattern is neither a text nor a regular expression');
  return new RegExp(translated(source), 'gu');
}

/** Maximum length of a pattern and depth of its groups: real tokenizers use a tenth of that. */
const [LONGEST, DEEPEST] = [10_000, 20];
/** Maximum number of consecutive unbounded repetitions: each raises the time by a power of the text's length. */
const MOST_OPEN = 3;
/** Maximum count in a bounded repetition. */
const MOST_TIMES = 1000;
/** Maximum number of ways in which consecutive alternatives and bounded repetitions can share a text: their numbers multiply. */
const MOST_WAYS = 10_000;

/** Group of a pattern that has been opened. */
interface Group {
  /** True if it can match the same text in several ways. */
  isLoose: boolean;
  /** Number of unbounded repetitions in the current alternative, and the largest one of those before. */
  open: number;
  mostOpen: number;
  /** Ways to match a text in the current alternative, and in those before together. */
  ways: number;
  otherWays: number;
}

const opened = (): Group => ({ isLoose: false, open: 0, mostOpen: 0, ways: 1, otherWays: 0 });

/** Refuses patterns that backtracking may match in exponential time: a repeated group with alternatives or a repetition inside. */
function refuseSlow(source: string, refuse: (what: string) => Error): void {
  if (source.length > LONGEST) throw new Error(`a pattern has ${source.length} letters, expected at most ${LONGEST}`);
  const groups: Group[] = [opened()];
  // A class or an escaped character counts as one part.
  const parts = source.matchAll(/\\.|\[(?:\\.|[^\]\\])*\]|\((?:\?[i<]?[:=!])?|[*+?]|\{(\d+)(,?)(\d*)\}|[^]/gu);
  let closed: Group | undefined;
  for (const [part, least, comma, given] of parts) {
    const group = groups.at(-1)!;
    const before = closed;
    closed = undefined;
    if (part.startsWith('(')) groups.push(opened());
    else if (part === ')' && groups.length > 1) {
      closed = groups.pop()!;
      const outer = groups.at(-1)!;
      outer.isLoose ||= closed.isLoose;
      outer.open += Math.max(closed.open, closed.mostOpen);
      outer.ways *= closed.ways + closed.otherWays;
    } else if (part === '|') {
      [group.mostOpen, group.otherWays] = [Math.max(group.open, group.mostOpen), group.ways + group.otherWays];
      [group.isLoose, group.open, group.ways] = [true, 0, 1];
    } else if (least !== undefined || /^[*+?]$/.test(part)) {
      const isOpen = part === '*' || part === '+' || (comma === ',' && given === '');
      const times = isOpen ? Infinity : part === '?' ? 1 : Number(given === '' ? least : given);
      if (before?.isLoose === true && times > 1) throw refuse('a repeated group with alternatives or repeated parts');
      if (times > MOST_TIMES && !isOpen) throw refuse(`the number ${times}, which is more than ${MOST_TIMES},`);
      if (isOpen) group.open++;
      else if (part === '?' || comma === ',') group.ways *= times - Number(least ?? 0) + 1;
      if (least === undefined || comma === ',') group.isLoose = true;
    }
    const { open, ways } = groups.at(-1)!;
    if (open > MOST_OPEN) throw refuse(`more than ${MOST_OPEN} repeated parts in a row`);
    if (ways > MOST_WAYS)
      throw refuse(
        `repeated parts and alternatives in a row that match a text in ${ways} ways, more than ${MOST_WAYS},`,
      );
    if (groups.length > DEEPEST) throw refuse(`groups in more than ${DEEPEST} others`);
  }
}

/** Translates a pattern from Oniguruma, which the Rust package uses, to JavaScript. */
function translated(source: string): string {
  const shown = source.length > 200 ? `${source.slice(0, 197)}...` : source;
  const refuse = (what: string): Error => new Error(`the pattern ${shown} holds ${what}, which is not supported`);
  refuseSlow(source, refuse);
  let out = '';
  /** Current depth of groups, and depths at which case is ignored. */
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
        // Outside of a class JavaScript has no \-.
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
