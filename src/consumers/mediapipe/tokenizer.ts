import { UserError } from '../../base/errors.ts';
import { vocabularyOf } from '../../data/text/tokenizer/models.ts';
import type { Component } from '../../data/text/tokenizer/normalizers.ts';
import { tokenizerOf } from '../../data/text/tokenizer/tokenizer-json.ts';
import { encoderOf } from '../../data/text/tokenizer/encode.ts';
import type { Encoder, TextForm } from '../../data/text/tokenizer/encode.ts';
import type { TokenizerJson } from '../../data/text/tokenizer/tokenizer-json.ts';
import type { TextTokenizer } from '../../formats/tflite/metadata/text.ts';

/** A tokenizer of MediaPipe that takes the place of a tokenizer.json. */
export interface MediaPipeTokenizer {
  readonly tokenizer: TextTokenizer;
  /** Content of its vocabulary. */
  readonly vocabulary: string;
  /** Makes the ids that MediaPipe makes of a text, padded with the id of the model. */
  readonly encode: Encoder;
}

/** Special tokens of BERT, by the names that MediaPipe looks for. */
const [UNKNOWN, FIRST, LAST] = ['[UNK]', '[CLS]', '[SEP]'] as const;

/** Largest number of letters of a word; a longer word is unknown. */
const LONGEST_WORD = 100;

const HINT =
  'MediaPipe has a tokenizer for WordPiece in small letters, as that of BERT uncased, and one for whole words that are cut at white space or at a pattern. `limbeck export RUN --kit DIR` writes samples for phones and browsers with every tokenizer.';

function refuse(fact: string): never {
  throw new UserError(`export --mediapipe: ${fact}`, HINT);
}

/** The tokenizer of MediaPipe for the texts of a data set, whose tokenizer is `json`. `UserError`, by the part that it has not, where there is none. */
export function mediaPipeTokenizer(form: TextForm, json: TokenizerJson | undefined): MediaPipeTokenizer {
  if (json === undefined) return refuse(`no tokenizer of MediaPipe makes the ids of the tokenizer ${form.tokenizer}`);
  if (form.texts === 2) refuse('its tasks take one text, received pairs of texts');
  if (form.truncate === 'start') refuse('it cuts the end of long texts, received `truncate: start`');
  switch (json.model.type) {
    case 'WordPiece':
      return wordPieces(form, json);
    case 'WordLevel':
      return words(form, json);
    default:
      return refuse(`no tokenizer of MediaPipe has the model ${String(json.model.type)} that is read here`);
  }
}

/** White space, and the signs of which each is a word, at which the tokenizer of BERT in MediaPipe cuts. */
const SPACES = '[\t\n\f\r ]+';
const SIGNS =
  '[!-/:-@\\[-`{-~\\p{P}\u4E00-\u9FFF\u3400-\u4DBF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B820}-\u{2CEAF}\uF900-\uFAFF\u{2F800}-\u{2FA1F}]';

function splitAt(pattern: string, behavior: 'Removed' | 'Isolated'): Component {
  return { type: 'Split', pattern: { Regex: pattern }, behavior, invert: false };
}

/** mediapipe/tasks/cc/text/tokenizers/bert_tokenizer.h, and bert_preprocessor_calculator.cc, which makes the letters of ASCII small. */
function wordPieces(form: TextForm, json: TokenizerJson): MediaPipeTokenizer {
  const { model, pre_tokenizer: cuts, normalizer } = json;
  const ids = idsOf(json);
  const longest = Number(model['max_input_chars_per_word'] ?? LONGEST_WORD);
  if (cuts?.type !== 'BertPreTokenizer')
    refuse(`it cuts words as BertPreTokenizer, received the pre-tokenizer ${cuts?.type ?? 'null'}`);
  if (!partsOf(normalizer).some(makesSmall))
    refuse('it makes all letters small, received a tokenizer that keeps capitals');
  if ((model.unk_token ?? UNKNOWN) !== UNKNOWN)
    refuse(`its unknown token is ${UNKNOWN}, received ${String(model.unk_token)}`);
  if ((model.continuing_subword_prefix ?? '##') !== '##')
    refuse(`pieces inside a word begin with ##, received ${String(model.continuing_subword_prefix)}`);
  if (longest !== LONGEST_WORD) refuse(`words of more than ${LONGEST_WORD} letters are unknown, received ${longest}`);
  for (const token of [UNKNOWN, FIRST, LAST])
    if (!ids.has(token)) refuse(`it wants the token ${token}, which the vocabulary has not`);
  const { single } = tokenizerOf(json).templates;
  const given = single.map((part) => ('id' in part ? part.id : part.text === 0 ? 'text' : 'other'));
  if (given.join() !== [ids.get(FIRST), 'text', ids.get(LAST)].join())
    refuse(`it puts ${FIRST} before a text and ${LAST} behind it, received another post-processor`);
  const tokens = Array.from({ length: form.vocabulary }, (_, id) => `[unused id ${id}]`);
  for (const [token, id] of ids) tokens[id] = token;
  const same = tokenizerOf({
    model,
    post_processor: json.post_processor ?? null,
    pre_tokenizer: { type: 'Sequence', pretokenizers: [splitAt(SPACES, 'Removed'), splitAt(SIGNS, 'Isolated')] },
  });
  const encode = encoderOf(same, form);
  return {
    tokenizer: { kind: 'bert' },
    vocabulary: tokens.map((token) => `${token}\n`).join(''),
    encode: (texts) => encode(texts.map((text) => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()))),
  };
}

/** mediapipe/tasks/cc/text/tokenizers/regex_tokenizer.cc, whose special tokens have names of their own. */
function words(form: TextForm, json: TokenizerJson): MediaPipeTokenizer {
  const { model, pre_tokenizer: cuts, normalizer, post_processor: after } = json;
  if (partsOf(normalizer).length > 0)
    refuse(`it takes the letters of whole words as they are, received the normalizer ${normalizer!.type}`);
  const pattern = delimiterOf(cuts);
  const ids = idsOf(json);
  const unknown = ids.get(String(model.unk_token));
  if (unknown === undefined) return refuse('it wants an unknown token, which the vocabulary has not');
  const { single } = tokenizerOf(json).templates;
  const [first, ...rest] = single;
  const start = first !== undefined && 'id' in first ? first.id : undefined;
  const [text, ...behind] = start === undefined ? single : rest;
  if (text === undefined || !('text' in text) || behind.length > 0)
    refuse('it puts one token at most before a text and none behind it, received another post-processor');
  const special = new Map([
    ['<UNKNOWN>', unknown],
    ['<PAD>', form.padding],
  ]);
  if (start !== undefined) special.set('<START>', start);
  const isSpecial = new Set(special.values());
  const lines = [...special, ...[...ids].filter(([, id]) => !isSpecial.has(id))];
  const spaced = lines.find(([token]) => token.includes(' '));
  if (spaced !== undefined) refuse(`tokens have no blanks, received ${JSON.stringify(spaced[0])}`);
  const same = tokenizerOf({ model, post_processor: after ?? null, pre_tokenizer: cuts ?? null });
  return {
    tokenizer: { kind: 'regex', pattern },
    vocabulary: lines.map(([token, id]) => `${token} ${id}\n`).join(''),
    encode: encoderOf(same, form),
  };
}

/** The pattern at which a pre-tokenizer cuts whole words. */
function delimiterOf(cuts: Component | null | undefined): string {
  const escaped = (text: string): string =>
    text.replaceAll(/[^\p{L}\p{N}]/gu, (sign) => `\\x{${sign.codePointAt(0)!.toString(16)}}`);
  const pattern = cuts?.['pattern'] as { readonly Regex?: string; readonly String?: string } | undefined;
  if (cuts?.type === 'WhitespaceSplit') return '[\\t-\\r\\x{85}\\p{Z}]+';
  if (cuts?.type === 'CharDelimiterSplit') return escaped(String(cuts['delimiter']));
  const isRemoved = cuts?.type === 'Split' && cuts['behavior'] === 'Removed' && cuts['invert'] !== true;
  if (isRemoved && pattern?.String !== undefined) return escaped(pattern.String);
  return refuse(
    `it cuts whole words at white space or at a text, which it takes away, received the pre-tokenizer ${cuts?.type ?? 'null'}`,
  );
}

/** Ids of all tokens by their text. */
function idsOf({ model, added_tokens: added }: TokenizerJson): ReadonlyMap<string, number> {
  const ids = new Map([...vocabularyOf(model), ...(added ?? []).map(({ content, id }) => [content, id] as const)]);
  for (const token of ids.keys())
    if (/[\r\n]/.test(token)) refuse(`its vocabulary has a token on each line, received ${JSON.stringify(token)}`);
  return ids;
}

function makesSmall({ type, lowercase }: Component): boolean {
  return type === 'Lowercase' || (type === 'BertNormalizer' && lowercase === true);
}

/** A component, or the components of a sequence. */
function partsOf(component: Component | null | undefined): readonly Component[] {
  if (component === null || component === undefined) return [];
  const parts = component['normalizers'] as readonly Component[] | undefined;
  return parts === undefined ? [component] : parts.flatMap(partsOf);
}
