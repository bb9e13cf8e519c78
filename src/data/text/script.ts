import { encoderOf, tokenizerFor } from './encode.ts';
import type { EncodedPart, Encoder, TextForm } from './encode.ts';
import type { TokenizerJson } from './tokenizer-json.ts';
import { wordEncoderOf, wordsIn } from './words.ts';
import type { WordEncoder } from './words.ts';

/**
 * The functions of the one script of a kit. They take texts of JSON and give one, an object, since every engine that a phone has hands over texts unchanged;
 * what goes wrong is its entry `error`.
 */

/** The entry `text` of preprocessing.json. */
interface Form extends TextForm {
  /** Parts of a sample that the model takes. Default: ids alone. */
  readonly parts?: readonly EncodedPart[];
}

interface Opened {
  readonly form: Form;
  readonly encode: Encoder;
  readonly encodeWords: WordEncoder;
}

let opened: Opened | undefined;

/** Opens a tokenizer. `form`: the entry `text` of preprocessing.json; `json`: the content of tokenizer.json, or null. */
export function open(form: string, json: string): string {
  return answer(() => {
    const own = JSON.parse(form) as Form;
    const file = JSON.parse(json) as TokenizerJson | null;
    if (own.tokenizer === 'tokenizer.json' && file === null) throw new Error('expected the content of tokenizer.json');
    const tokenizer = tokenizerFor(own, file ?? undefined);
    opened = { form: own, encode: encoderOf(tokenizer, own), encodeWords: wordEncoderOf(tokenizer, own) };
    return {};
  });
}

/** The parts of a list of texts that the form names: one, or the two of a pair; `tokens`: their number before they were cut. */
export function encode(texts: string): string {
  return answer(() => {
    const { form, encode: encoded } = tokenizer();
    const { tokens, ...parts } = encoded(JSON.parse(texts) as string[]);
    const named = form.parts ?? ['ids'];
    return { ...Object.fromEntries(named.map((part) => [part, [...parts[part]]])), tokens };
  });
}

/** `ids` of a list of words; `words`: for each id the position of the word that begins with it, or -1. */
export function encodeWords(list: string): string {
  return answer(() => {
    const { ids, words } = tokenizer().encodeWords(JSON.parse(list) as string[]);
    return { ids: [...ids], words: [...words] };
  });
}

/** `words` of a text, given as a JSON text: each punctuation mark is one too. */
export function cutWords(text: string): string {
  return answer(() => ({ words: wordsIn(JSON.parse(text) as string) }));
}

function tokenizer(): Opened {
  if (opened === undefined) throw new Error('no tokenizer is open: call `open` first');
  return opened;
}

function answer(work: () => object): string {
  try {
    return JSON.stringify(work());
  } catch (error) {
    return JSON.stringify({ error: error instanceof Error ? error.message : String(error) });
  }
}
