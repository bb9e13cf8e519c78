import { bytes, hashed } from './plain.ts';
import { tokenizerOf } from './tokenizer-json.ts';
import type { Tokenizer, TokenizerJson } from './tokenizer-json.ts';

/** Tokenization of texts: the entry `text` in the metadata of a model, with everything that an app needs to repeat it. */
export interface TextForm {
  /** `tokenizer.json`: a file with this name and hash. */
  readonly tokenizer: 'bytes' | 'hashed' | 'tokenizer.json';
  /** Hash of the file tokenizer.json. */
  readonly sha256?: string | undefined;
  /** hashed: number of ids, and maximum words of a run. */
  readonly buckets?: number | undefined;
  readonly ngrams?: number | undefined;
  /** Number of texts of a sample: 2 for a pair. */
  readonly texts: 1 | 2;
  /** Number of tokens of a sample, including special tokens; longer samples are cut at `truncate`. */
  readonly length: number;
  readonly truncate: 'end' | 'start';
  /** Number of ids, including padding. */
  readonly vocabulary: number;
  /** Id of padding. */
  readonly padding: number;
}

/** Token ids, mask and types of one sample, each [length]. */
export interface Encoded {
  readonly ids: Int32Array;
  /** 1 for a token, 0 for padding. */
  readonly mask: Int32Array;
  readonly types: Int32Array;
  /** Number of tokens before cutting. */
  readonly tokens: number;
}

/** Tensor that a model may take for a sample. */
export type EncodedPart = 'ids' | 'mask' | 'types';

export type Encoder = (texts: readonly string[]) => Encoded;

/** Tokenizer of a form; throws an Error for an unsupported kind of tokenizer.json. */
export function tokenizerFor(
  form: Pick<TextForm, 'tokenizer' | 'buckets' | 'ngrams'>,
  json: TokenizerJson | undefined,
): Tokenizer {
  if (form.tokenizer === 'bytes') return bytes;
  if (form.tokenizer === 'hashed') return hashed(form.buckets!, form.ngrams!);
  return tokenizerOf(json!);
}

/** True for a text with more than white space. */
export function isWord(text: unknown): text is string {
  return typeof text === 'string' && /[^\p{White_Space}\0]/u.test(text);
}

/** The encoder of `form`; `json`: content of its tokenizer.json, if it has one. */
export function encoderFor(form: TextForm, json: TokenizerJson | undefined): Encoder {
  return encoderOf(tokenizerFor(form, json), form);
}

/** Encodes samples: cuts the texts, adds special tokens by the template, and pads. */
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

/** Sizes of one or two texts that fit into `room` together: the longer text is cut first, as by `longest_first` of the Rust package. */
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
