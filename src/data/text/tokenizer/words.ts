import { isWord, tokenizerFor } from './encode.ts';
import type { Encoded, TextForm } from './encode.ts';
import type { Tokenizer, TokenizerJson } from './tokenizer-json.ts';

/** Token ids of a sample that is a list of words. */
export interface EncodedWords extends Pick<Encoded, 'ids' | 'mask' | 'types'> {
  /** [length] index of the word that begins with this token; -1 for other tokens. */
  readonly words: Int32Array;
  /** Number of words whose first token was cut off. */
  readonly cut: number;
  /** Number of words without a token. */
  readonly empty: number;
}

export type WordEncoder = (words: readonly string[]) => EncodedWords;

/** Separator of a sample's tags in their joined text. */
export const TAG_SEPARATOR = '|';

/** Maximum number of words with cached ids, which bounds a server's memory. */
const MOST_KNOWN = 100_000;

/** Id of a space in the byte tokenizer, which separates words. */
const SPACE = 33;

let segmenter: Intl.Segmenter | undefined;

/**
 * Splits a text into words by the word boundaries of Unicode (UAX 29): punctuation marks and symbols are words, white space is dropped. Browsers and
 * iOS differ from UAX 29 at full stops and colons between letters, so other characters of the same classes (MidNumLet and MidLetter) stand in for
 * them.
 */
export function wordsIn(text: string): string[] {
  segmenter ??= new Intl.Segmenter('und', { granularity: 'word' });
  const masked = text.replace(/[.\uFE52\uFF0E]/g, '\u2024').replace(/[:\uFE55\uFF1A]/g, '\u2027');
  const found = Array.from(segmenter.segment(masked), ({ segment, index }) =>
    text.slice(index, index + segment.length),
  );
  return found.filter(isWord);
}

/** The encoder of `form` for lists of words; `json`: content of its tokenizer.json, if it has one. */
export function wordEncoderFor(form: TextForm, json: TokenizerJson | undefined): WordEncoder {
  return wordEncoderOf(tokenizerFor(form, json), form);
}

/**
 * Encodes samples of words, each tokenized on its own, as the package tokenizers does with `is_pretokenized`: cut at the end, with special tokens by
 * the template, padded. A word counts as kept if its first token is. The byte tokenizer puts a space between words.
 */
export function wordEncoderOf(
  tokenizer: Tokenizer,
  { tokenizer: kind, length, padding }: Pick<TextForm, 'tokenizer' | 'length' | 'padding'>,
): WordEncoder {
  const template = tokenizer.templates.single;
  const room = length - template.filter((part) => 'id' in part).length;
  if (room < 1)
    throw new Error(`a length of ${length} leaves no room for a token beside those that the tokenizer adds`);
  const known = new Map<string, readonly number[]>();
  const idsOf = (word: string): readonly number[] => {
    const found = known.get(word);
    if (found !== undefined) return found;
    const ids = tokenizer.ids(word, false);
    if (known.size === MOST_KNOWN) known.clear();
    known.set(word, ids);
    return ids;
  };
  return (given) => {
    const tokens: number[] = [];
    const begins: number[] = [];
    let [cut, empty] = [0, 0];
    given.forEach((word, at) => {
      if (!isWord(word)) throw new Error(`expected a text for word ${at}, received ${JSON.stringify(word)}`);
      const ids = idsOf(word);
      if (ids.length === 0) {
        empty++;
        return;
      }
      if (kind === 'bytes' && at > 0) {
        tokens.push(SPACE);
        begins.push(-1);
      }
      if (tokens.length >= room) cut++;
      ids.forEach((id, piece) => {
        tokens.push(id);
        begins.push(piece === 0 ? at : -1);
      });
    });
    const [ids, mask, types] = [new Int32Array(length).fill(padding), new Int32Array(length), new Int32Array(length)];
    const words = new Int32Array(length).fill(-1);
    let at = 0;
    for (const part of template) {
      const isText = !('id' in part);
      for (const [i, id] of (isText ? tokens.slice(0, room) : [part.id]).entries()) {
        ids[at] = id;
        mask[at] = 1;
        if (isText) words[at] = begins[i]!;
        types[at++] = part.type;
      }
    }
    return { ids, mask, types, words, cut, empty };
  };
}

/** The tags of a sample from their joined text, without surrounding spaces. */
export function tagsIn(text: string, separator = TAG_SEPARATOR): string[] {
  return text.split(separator).map((tag) => tag.trim());
}
