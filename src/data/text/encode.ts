import { bytes, hashed } from './plain.ts';
import { tokenizerOf } from './tokenizer-json.ts';
import type { Tokenizer, TokenizerJson } from './tokenizer-json.ts';

/** Conversion of texts into numbers: the entry `text` in the metadata of a model, and all that an app needs to do the same. */
export interface TextForm {
  /** `tokenizer.json`: the file of this name and hash. */
  readonly tokenizer: 'bytes' | 'hashed' | 'tokenizer.json';
  /** Hash of the file tokenizer.json. */
  readonly sha256?: string | undefined;
  /** hashed: ids, and most words in a row. */
  readonly buckets?: number | undefined;
  readonly ngrams?: number | undefined;
  /** Texts of a sample: 2 for a pair. */
  readonly texts: 1 | 2;
  /** Tokens of a sample, those that the tokenizer adds included; longer ones lose this end. */
  readonly length: number;
  readonly truncate: 'end' | 'start';
  /** Number of ids, that of padding included. */
  readonly vocabulary: number;
  /** Id that shorter samples are filled up with. */
  readonly padding: number;
}

/** Token ids and the like of one sample, each [length]. */
export interface Encoded {
  readonly ids: Int32Array;
  /** 1 for a token, 0 for padding. */
  readonly mask: Int32Array;
  readonly types: Int32Array;
  /** Tokens before it was cut. */
  readonly tokens: number;
}

/** A tensor that a model may take of a sample. */
export type EncodedPart = 'ids' | 'mask' | 'types';

export type Encoder = (texts: readonly string[]) => Encoded;

/** Tokenizer of a form; throws an Error for a tokenizer.json of a kind that is not supported. */
export function tokenizerFor(
  form: Pick<TextForm, 'tokenizer' | 'buckets' | 'ngrams'>,
  json: TokenizerJson | undefined,
): Tokenizer {
  if (form.tokenizer === 'bytes') return bytes;
  if (form.tokenizer === 'hashed') return hashed(form.buckets!, form.ngrams!);
  return tokenizerOf(json!);
}

/** True for a text that is more than white space. */
export function isWord(text: unknown): text is string {
  return typeof text === 'string' && /[^\p{White_Space}\0]/u.test(text);
}

/** The encoder that `form` describes; `json`: the content of its tokenizer.json, if it has one. */
export function encoderFor(form: TextForm, json: TokenizerJson | undefined): Encoder {
  return encoderOf(tokenizerFor(form, json), form);
}

/** Whole samples: the texts of one, cut, with the tokens of the template, filled up with padding. */
export function encoderOf(tokenizer: Tokenizer, { texts, length, truncate, padding }: TextForm): Encoder {
  const template = tokenizer.templates[texts === 2 ? 'pair' : 'single'];
  const room = length - template.filter((part) => 'id' in part).length;
  if (room < 1)
    throw new Error(`a length of ${length} leaves no room for a token beside those that the tokenizer adds`);
  return (given) => {
    if (given.length !== texts) throw new Error(`expected a list of ${texts}, received one of ${given.length}`);
    if (!given.every(isWord)) throw new Error('the text is empty');
    const all = given.map((text, i) => tokenizer.ids(text, i === 1));
    const sizes = cut(
      all.map((ids) => ids.length),
      room,
    );
    const kept = all.map((ids, i) => (truncate === 'end' ? ids.slice(0, sizes[i]) : ids.slice(ids.length - sizes[i]!)));
    const [ids, mask, types] = [new Int32Array(length).fill(padding), new Int32Array(length), new Int32Array(length)];
    let at = 0;
    for (const part of template) {
      for (const id of 'id' in part ? [part.id] : kept[part.text]!) {
        ids[at] = id;
        mask[at] = 1;
        types[at++] = part.type;
      }
    }
    return { ids, mask, types, tokens: length - room + all.reduce((sum, one) => sum + one.length, 0) };
  };
}

/** The sizes of one or two texts that have room together: the longer one is cut first, as `longest_first` of the Rust package. */
function cut(sizes: readonly number[], room: number): readonly number[] {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total <= room) return sizes;
  if (sizes.length === 1) return [room];
  const [shorter, longer] = sizes[0]! <= sizes[1]! ? [0, 1] : [1, 0];
  const out = [0, 0];
  out[shorter] = sizes[shorter]!;
  out[longer] = out[shorter] > room ? out[shorter] : Math.max(out[shorter], room - out[shorter]);
  if (out[0]! + out[1]! > room) {
    out[shorter] = Math.floor(room / 2);
    out[longer] = out[shorter] + (room % 2);
  }
  return out;
}
