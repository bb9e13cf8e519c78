import { encoderOf } from '../../../src/data/text/tokenizer/encode.ts';
import type { TextForm } from '../../../src/data/text/tokenizer/encode.ts';
import { tokenizerOf } from '../../../src/data/text/tokenizer/tokenizer-json.ts';
import type { TokenizerJson } from '../../../src/data/text/tokenizer/tokenizer-json.ts';
import { mediaPipeTokenizer } from '../../../src/consumers/mediapipe/tokenizer.ts';
import { wordPieces } from '../../support/tokenizer.ts';

const pieces = wordPieces(['hello', 'cafe', '中', '(', '-', ')', ',', '[', ']', '^', '`', '~', '{', '}']);
const form: TextForm = {
  ...{ tokenizer: 'tokenizer.json', texts: 1, length: 24, truncate: 'end' },
  ...{ vocabulary: 75, padding: 0 },
};
const words: TokenizerJson = {
  added_tokens: [{ id: 3, content: '<s>', special: true }],
  pre_tokenizer: { type: 'WhitespaceSplit' },
  model: { type: 'WordLevel', unk_token: '<unk>', vocab: { '<pad>': 0, '<unk>': 1, hello: 2 } },
};

const idsOf = (json: TokenizerJson, text: string): string => String(encoderOf(tokenizerOf(json), form)([text]).ids);

it('makes the ids of a WordPiece tokenizer as MediaPipe does: accents stay, and capitals of ASCII alone become small', () => {
  const { tokenizer, vocabulary, encode } = mediaPipeTokenizer(form, pieces);
  expect(tokenizer).toEqual({ kind: 'bert' });
  const lines = vocabulary.split('\n');
  expect([lines.slice(0, 4), lines.length, lines.indexOf('hello')]).toEqual([
    ['[PAD]', '[UNK]', '[CLS]', '[SEP]'],
    form.vocabulary + 1,
    (pieces.model.vocab as Record<string, number>)['hello'],
  ]);
  expect(lines.at(-2)).toBe('[unused id 74]');
  for (const text of ['Hello, World (a-b)', '[x]^ `y` {z}~\thello', 'hello中hello', 'a '.repeat(40)])
    expect([text, String(encode([text]).ids)]).toEqual([text, idsOf(pieces, text)]);
  for (const text of ['Café', 'CAFÉ', 'a\u00A0b'])
    expect([text, String(encode([text]).ids)]).not.toEqual([text, idsOf(pieces, text)]);
});

it('gives whole words and their special tokens the names that MediaPipe looks for', () => {
  const given = mediaPipeTokenizer({ ...form, padding: 0 }, words);
  expect(given.tokenizer).toEqual({ kind: 'regex', pattern: '[\\t-\\r\\x{85}\\p{Z}]+' });
  expect(given.vocabulary).toBe('<UNKNOWN> 1\n<PAD> 0\nhello 2\n<s> 3\n');
  const template = { type: 'TemplateProcessing', single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }], pair: [], special_tokens: { '<s>': { id: '<s>', ids: [3], tokens: ['<s>'] } } }; // prettier-ignore
  const started = mediaPipeTokenizer(form, { ...words, post_processor: template });
  expect(started.vocabulary).toBe('<UNKNOWN> 1\n<PAD> 0\n<START> 3\nhello 2\n');
  const cut = mediaPipeTokenizer(form, { ...words, pre_tokenizer: { type: 'CharDelimiterSplit', delimiter: '|' } });
  expect(cut.tokenizer).toEqual({ kind: 'regex', pattern: '\\x{7c}' });
});

it('refuses other tokenizers by the part that MediaPipe has not', () => {
  const bert = pieces.normalizer!;
  const refused: [Partial<TextForm>, TokenizerJson | undefined, RegExp][] = [
    [{ tokenizer: 'hashed' }, undefined, /no tokenizer of MediaPipe makes the ids of the tokenizer hashed/],
    [{ texts: 2 }, pieces, /one text, received pairs/],
    [{ truncate: 'start' }, pieces, /received `truncate: start`/],
    [{}, { ...pieces, model: { type: 'Unigram', vocab: [] } }, /has the model Unigram/],
    [{}, { ...pieces, normalizer: { ...bert, lowercase: false } }, /received a tokenizer that keeps capitals/],
    [{}, { ...pieces, pre_tokenizer: { type: 'Whitespace' } }, /received the pre-tokenizer Whitespace/],
    [{}, { ...pieces, post_processor: null }, /received another post-processor/],
    [{}, { ...pieces, model: { ...pieces.model, max_input_chars_per_word: 50 } }, /100 letters are unknown, received 50/],
    [{}, { ...words, normalizer: { type: 'Lowercase' } }, /received the normalizer Lowercase/],
    [{}, { ...words, pre_tokenizer: { type: 'Whitespace' } }, /which it takes away, received the pre-tokenizer Whitespace/],
  ]; // prettier-ignore
  for (const [change, json, message] of refused)
    expect(() => mediaPipeTokenizer({ ...form, ...change }, json)).toThrow(message);
});
