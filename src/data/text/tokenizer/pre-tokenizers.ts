import { byteLetters } from './normalizers.ts';
import type { Component } from './normalizers.ts';
import { patternOf } from './pattern.ts';

/** Splits a piece of a text; `isFirst`: the piece begins the text. */
export type PreTokenizer = (text: string, isFirst: boolean) => string[];

type Behavior = 'Removed' | 'Isolated' | 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous';

interface Span {
  readonly text: string;
  readonly isMatch: boolean;
}

/** Splits a text into matches of the pattern and the spans between them. */
function spansOf(text: string, pattern: RegExp): Span[] {
  const spans: Span[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    if (match[0] === '') continue;
    if (match.index > end) spans.push({ text: text.slice(end, match.index), isMatch: false });
    spans.push({ text: match[0], isMatch: true });
    end = match.index + match[0].length;
  }
  if (end < text.length) spans.push({ text: text.slice(end), isMatch: false });
  return spans;
}

/** Splits a text at matches of a pattern; `invert`: at the spans between matches. */
function split(text: string, pattern: RegExp, behavior: Behavior, invert = false): string[] {
  const spans = spansOf(text, pattern).map((span) => ({ ...span, isMatch: span.isMatch !== invert }));
  if (behavior === 'Isolated') return spans.map((span) => span.text);
  if (behavior === 'Removed') return spans.filter(({ isMatch }) => !isMatch).map((span) => span.text);
  const pieces: string[] = [];
  const isNext = behavior === 'MergedWithNext';
  let before: boolean | undefined;
  for (const { text: part, isMatch } of isNext ? spans.reverse() : spans) {
    const joins = behavior === 'Contiguous' ? before === isMatch : isMatch && before === false;
    if (joins) pieces.push(isNext ? part + pieces.pop()! : pieces.pop()! + part);
    else pieces.push(part);
    before = isMatch;
  }
  return isNext ? pieces.reverse() : pieces;
}

const SPACES = /\p{White_Space}/gu;
const PUNCTUATION = /[\p{P}!-/:-@[-`{-~]/gu;
const NUMERIC = /\p{N}/gu;
/** \w+|[^\w\s]+ in Rust's regular expressions. */
const WORDS =
  /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu;
const GPT2 =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

function metaspace(component: Component): PreTokenizer {
  const { replacement = '\u2581', split: splits = true, add_prefix_space } = component;
  const scheme = component['prepend_scheme'] ?? (add_prefix_space === false ? 'never' : 'always');
  const sign = String(replacement);
  const pattern = patternOf({ String: sign });
  return (given, isFirst) => {
    let text = given.replaceAll(' ', sign);
    const wanted = scheme === 'always' || (scheme === 'first' && isFirst);
    if (wanted && !text.startsWith(sign)) text = sign + text;
    return splits === true ? split(text, pattern, 'MergedWithNext') : [text];
  };
}

function byteLevel({ add_prefix_space = true, use_regex = true }: Component): PreTokenizer {
  return (given) => {
    const text = add_prefix_space === true && !given.startsWith(' ') ? ` ${given}` : given;
    return (use_regex === true ? split(text, GPT2, 'Isolated') : [text]).map(byteLetters);
  };
}

function behaviorOf({ behavior = 'Isolated' }: Component): Behavior {
  const found = (['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'] as const).find(
    (one) => one === behavior,
  );
  if (found === undefined) throw new Error(`the behavior ${String(behavior)} of a split is not supported`);
  return found;
}

const FACTORIES: Readonly<Record<string, (component: Component) => PreTokenizer>> = {
  BertPreTokenizer: () => (text) =>
    split(text, SPACES, 'Removed').flatMap((word) => split(word, PUNCTUATION, 'Isolated')),
  Whitespace: () => (text) => split(text, WORDS, 'Removed', true),
  WhitespaceSplit: () => (text) => split(text, SPACES, 'Removed'),
  Punctuation: (component) => {
    const behavior = behaviorOf(component);
    return (text) => split(text, PUNCTUATION, behavior);
  },
  Digits:
    ({ individual_digits }) =>
    (text) =>
      split(text, NUMERIC, individual_digits === true ? 'Isolated' : 'Contiguous'),
  CharDelimiterSplit: ({ delimiter }) => {
    const pattern = patternOf({ String: String(delimiter) });
    return (text) => split(text, pattern, 'Removed');
  },
  Split: (component) => {
    const pattern = patternOf(component['pattern']);
    const behavior = behaviorOf(component);
    return (text) => split(text, pattern, behavior, component['invert'] === true);
  },
  Metaspace: metaspace,
  ByteLevel: byteLevel,
  Sequence: (component) => {
    const parts = (component['pretokenizers'] as Component[]).map(preTokenizerOf);
    return (text, isFirst) =>
      // Only a piece at the start of the text, with nothing removed before it, is the first.
      parts.reduce<string[]>(
        (so, part) => so.flatMap((piece, i) => part(piece, isFirst && i === 0 && text.startsWith(piece))),
        [text],
      );
  },
};

export function preTokenizerOf(component: Component | null | undefined): PreTokenizer {
  if (component === null || component === undefined) return (text) => [text];
  const factory = Object.hasOwn(FACTORIES, component.type) ? FACTORIES[component.type] : undefined;
  if (factory === undefined) throw new Error(`the pre-tokenizer ${component.type} is not supported`);
  return factory(component);
}
