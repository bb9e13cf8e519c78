import { vocabularyOf } from '../../data/text/tokenizer/models.ts';
import type { Tokenizer, TokenizerJson } from '../../data/text/tokenizer/tokenizer-json.ts';

/** Target of a place whose next token is not asked for: behind the last token of a split. */
export const NO_TOKEN = -1;

/** Numbers of a sample's targets behind the ids of its next tokens: bytes and words of the text that these stand for. */
export const TAIL = 2;

/** Tokens that end a text, by their usual names, in the order in which they are looked for. */
const ENDS = ['<|endoftext|>', '<|end_of_text|>', '</s>', '<eos>', '<|eos|>', '[SEP]', '<s>', '[CLS]'];

/** Id of the byte tokenizer that stands for no byte and ends a text. */
const END_OF_BYTES = 257;

/** Id of the token that stands between two texts: it ends the first and begins the second. An Error for a tokenizer without such a token. */
export function endOfText(json: TokenizerJson | undefined): number {
  if (json === undefined) return END_OF_BYTES;
  const added = json.added_tokens ?? [];
  for (const end of ENDS) {
    const found = added.find(({ content }) => content === end);
    if (found !== undefined) return found.id;
  }
  throw new Error(`none of its added tokens ends a text: expected one of ${ENDS.join(', ')}`);
}

/** A text as token ids, with the sizes that scores are given in. */
export interface Tokenized {
  readonly ids: readonly number[];
  readonly bytes: number;
  readonly words: number;
}

const utf8 = new TextEncoder();

/** Words are what white space separates, as perplexities per word count them. */
export function tokenized(text: string, tokenizer: Tokenizer): Tokenized {
  return {
    ids: tokenizer.ids(text, false),
    bytes: utf8.encode(text).length,
    words: text.split(/\p{White_Space}+/u).filter((word) => word !== '').length,
  };
}

/** Sequences of token ids and their targets. */
export interface PackedTexts {
  readonly count: number;
  /** [count, length] */
  readonly ids: Int32Array;
  /** [count, length + TAIL]: the token behind each place or `NO_TOKEN`, then bytes and words of the text of these tokens. */
  readonly targets: Int32Array;
}

/**
 * Packs texts into sequences of `length` tokens. A token `end` stands before the first text and behind each text; the stream is cut every `length` tokens,
 * and each token but the first is the target of exactly one place. Bytes and words of a text are spread evenly over its tokens, so that their sums over all
 * sequences are exact.
 */
export function packed(texts: readonly Tokenized[], length: number, end: number): PackedTexts {
  const total = texts.reduce((sum, { ids }) => sum + ids.length + 1, 0);
  const count = Math.ceil(total / length);
  const width = length + TAIL;
  const ids = new Int32Array(count * length).fill(end);
  const targets = new Int32Array(count * width).fill(NO_TOKEN);
  for (let i = 0; i < count; i++) targets.fill(0, i * width + length, (i + 1) * width);
  let at = 0;
  const add = (id: number, bytes: number, words: number): void => {
    const [row, place] = [Math.floor(at / length), at % length];
    targets[row * width + place] = id;
    targets[row * width + length]! += bytes;
    targets[row * width + length + 1]! += words;
    at++;
    if (at < count * length) ids[at] = id;
  };
  for (const text of texts) {
    const size = text.ids.length;
    const upTo = (of: number, i: number): number => Math.round((of * i) / size);
    text.ids.forEach((id, i) =>
      add(id, upTo(text.bytes, i + 1) - upTo(text.bytes, i), upTo(text.words, i + 1) - upTo(text.words, i)),
    );
    add(end, 0, 0);
  }
  return { count, ids, targets };
}

/** Text of each id, for the names of a model's answers. */
export function tokenNames(json: TokenizerJson | undefined, vocabulary: number): string[] {
  const names = Array.from({ length: vocabulary }, (_, id) => `unused ${id}`);
  if (json === undefined) {
    names[0] = 'padding';
    for (let byte = 0; byte < 256; byte++) names[byte + 1] = byteName(byte);
    names[END_OF_BYTES] = 'end of text';
    return names;
  }
  for (const [token, id] of vocabularyOf(json.model)) names[id] = token;
  for (const { content, id } of json.added_tokens ?? []) names[id] = content;
  return names;
}

function byteName(byte: number): string {
  return byte > 32 && byte < 127 ? String.fromCharCode(byte) : `byte ${byte}`;
}
