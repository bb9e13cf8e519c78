import path from 'node:path';
import { sha256 } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';
import { exists, readBytes } from '../../base/files.ts';
import { parsedJson } from '../../base/json.ts';
import type { TextConfig, TokenInput } from '../config.ts';
import { checkedTokenizer } from './checked.ts';
import { TOKENIZER_FILE } from './tokenizer-file.ts';
import { encoderFor, encoderOf, tokenizerFor } from './tokenizer/encode.ts';
import type { Encoder, TextForm } from './tokenizer/encode.ts';
import type { Tokenizer, TokenizerJson } from './tokenizer/tokenizer-json.ts';
import { wordEncoderFor, wordEncoderOf } from './tokenizer/words.ts';
import type { WordEncoder } from './tokenizer/words.ts';

/** Tokenizer and settings of a text data set. */
export interface OpenText {
  readonly form: TextForm;
  readonly tokenizer: Tokenizer;
  /** Content of its tokenizer.json, if it has one. */
  readonly json: TokenizerJson | undefined;
  readonly encode: Encoder;
  readonly encodeWords: WordEncoder;
  /** Inputs of a model with several, in this order; undefined: ids only. */
  readonly inputs?: readonly TokenInput[] | undefined;
  /** Columns with the texts of a row. */
  readonly columns: readonly (string | number)[];
  /** Treatment of texts that are no UTF-8, see `InvalidTexts`. */
  readonly invalid?: TextConfig['invalid'];
  /** Each text of a row is a sample. */
  readonly isApart: boolean;
  /** Called with the texts of each row. For lists of words, `texts` are the words with a tag. */
  readonly onText?: ((row: number, texts: readonly string[], all: readonly string[]) => void) | undefined;
}

const DEFAULT_LENGTH = 128;
const DEFAULT_BUCKETS = 4096;
const DEFAULT_NGRAMS = 2;

/** True for a path; `bytes` and `hashed` are built in. */
function isTokenizerFile(tokenizer: string | undefined): tokenizer is string {
  return tokenizer !== undefined && tokenizer !== 'bytes' && tokenizer !== 'hashed';
}

/** Opens the tokenizer that a recipe names. `isApart`: each text of a row is a sample. `UserError` for an invalid file or an unsupported kind. */
export async function openText(config: TextConfig, isApart = false): Promise<OpenText> {
  const { tokenizer: named = 'bytes', truncate = 'end', inputs } = config;
  const columns = [config.column ?? []].flat();
  const file = isTokenizerFile(named) ? named : undefined;
  const bytes = file === undefined ? undefined : await readBytes(file);
  const kind = file === undefined ? (named as 'bytes' | 'hashed') : 'tokenizer.json';
  const ownForm = {
    tokenizer: kind,
    ...(bytes !== undefined && { sha256: sha256(bytes) }),
    ...(kind === 'hashed' && {
      buckets: config.buckets ?? DEFAULT_BUCKETS,
      ngrams: config.ngrams ?? DEFAULT_NGRAMS,
    }),
  } as const;
  try {
    const json = bytes && parsed(bytes);
    const tokenizer = tokenizerFor(ownForm, json);
    // A tokenizer without padding gets a new id for it, unless a mask marks padding.
    const { padding = inputs?.includes('attention_mask') === true ? 0 : tokenizer.vocabulary } = tokenizer;
    const form: TextForm = {
      ...ownForm,
      texts: columns.length === 2 && !isApart ? 2 : 1,
      length: config.length ?? DEFAULT_LENGTH,
      truncate,
      vocabulary: Math.max(tokenizer.vocabulary, padding + 1),
      padding,
    };
    // A model with ids as its single input takes the sample as it is, whatever the input's name.
    const several = inputs?.length === 1 ? undefined : inputs;
    const [encode, encodeWords] = [encoderOf(tokenizer, form), wordEncoderOf(tokenizer, form)];
    return {
      form,
      tokenizer,
      json,
      encode,
      encodeWords,
      inputs: several,
      columns,
      isApart,
      invalid: config.invalid,
    };
  } catch (error) {
    if (error instanceof UserError || !(error instanceof Error)) throw error;
    throw new UserError(
      `${file ?? `text.tokenizer: ${named}`}: ${error.message}`,
      file === undefined
        ? 'Change the options of `text`.'
        : `Expected is a tokenizer.json as the package tokenizers saves it, of a kind that docs/tokenizers.md lists${
            path.extname(file) === '.txt'
              ? '; a vocab.txt is read by BertTokenizerFast, whose save_pretrained writes one'
              : ''
          }.`,
      { cause: error },
    );
  }
}

/**
 * Encoder of a model, from its metadata and the tokenizer.json in `folder` or its `exports`: a run keeps the file beside its exports, and the
 * teacher's a folder above. `UserError` if it is missing or differs.
 */
export async function storedEncoder(form: TextForm, folder: string): Promise<Encoder> {
  return encoderFor(form, await storedTokenizer(form, folder));
}

/** Like `storedEncoder`, for a model on lists of words. */
export async function storedWordEncoder(form: TextForm, folder: string): Promise<WordEncoder> {
  return wordEncoderFor(form, await storedTokenizer(form, folder));
}

/** The tokenizer.json of a model; undefined for a tokenizer that has no such file. */
export async function storedTokenizer(form: TextForm, folder: string): Promise<TokenizerJson | undefined> {
  if (form.tokenizer !== 'tokenizer.json') return undefined;
  const [beside, exported] = [folder, path.join(folder, 'exports')].map((place) => path.join(place, TOKENIZER_FILE));
  const file = !(await exists(beside!)) && (await exists(exported!)) ? exported! : beside!;
  const bytes = await readBytes(file);
  refuseOtherFile(file, bytes, form);
  return parsed(bytes);
}

/** `UserError` for a tokenizer.json other than the model's. */
export function refuseOtherFile(file: string, bytes: Uint8Array, { sha256: expected }: TextForm): void {
  const found = sha256(bytes);
  if (found === expected) return;
  throw new UserError(
    `${file}: expected the tokenizer of hash ${String(expected)}, received ${found}`,
    'Put the tokenizer.json there that the model was trained with; it lies in the folder `exports` of its run.',
  );
}

/** Parses a tokenizer's file. */
function parsed(bytes: Uint8Array): TokenizerJson {
  let json: unknown;
  try {
    json = parsedJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Error('it is not JSON in UTF-8');
  }
  return checkedTokenizer(json);
}
