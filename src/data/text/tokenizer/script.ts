import { encoderOf, tokenizerFor } from './encode.ts';
import type { EncodedPart, Encoder, TextForm } from './encode.ts';
import type { TokenizerJson } from './tokenizer-json.ts';
import { wordEncoderOf, wordsIn } from './words.ts';
import type { WordEncoder } from './words.ts';

/**
 * Functions of a kit's self-contained script. They take and return JSON text, which every engine on a phone passes unchanged; failures are returned
 * as the field `error`.
 */

/** The entry `text` of preprocessing.json. */
interface Form extends TextForm {
  /** Parts of a sample that the model takes. Default: ids only. */
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
    const parsedForm = JSON.parse(form) as Form;
    const file = JSON.parse(json) as TokenizerJson | null;
    if (parsedForm.tokenizer === 'tokenizer.json' && file === null)
      throw new Error('expected the content of tokenizer.json');
    const tokenizer = tokenizerFor(parsedForm, file ?? undefined);
    opened = {
      form: parsedForm,
      encode: encoderOf(tokenizer, parsedForm),
      encodeWords: wordEncoderOf(tokenizer, parsedForm),
    };
    return {};
  });
}

/** Encodes a text, or the two texts of a pair, into the parts that the form names; `tokens`: their number before cutting. */
export function encode(texts: string): string {
  return answer(() => {
    const { form, encode: encoded } = tokenizer();
    const { tokens, ...parts } = encoded(JSON.parse(texts) as string[]);
    const named = form.parts ?? ['ids'];
    return { ...Object.fromEntries(named.map((part) => [part, [...parts[part]]])), tokens };
  });
}

/** Encodes a list of words as `ids`; `words`: for each id, the index of the word that begins with it, or -1. */
export function encodeWords(list: string): string {
  return answer(() => {
    const { ids, words } = tokenizer().encodeWords(JSON.parse(list) as string[]);
    return { ids: [...ids], words: [...words] };
  });
}

/** Splits a text, given as JSON, into `words`; each punctuation mark is a word. */
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
