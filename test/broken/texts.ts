import { wordPieces } from '../support/tokenizer.ts';
import type { Case } from './files.ts';

const ROWS = Array.from({ length: 30 }, (_, i) => `the card number ${i},${i % 2 ? 'yes' : 'no'}`);
const REST = 'student: {model: embedding-bag, size: 4}\ndistill: {epochs: 1}\n';
const data = (text: string, keys = '', rest = REST): string =>
  `dataset: {type: csv, train: t.csv, testFraction: 0.2, text: {${text}}${keys}}\n${rest}`;
const rows = (...more: readonly string[]): string => ['text,label', ...ROWS, ...more].join('\n');
const TABLE = { 't.csv': rows() };
const KINDS =
  'Expected is a tokenizer.json as the package tokenizers saves it, of a kind that docs/tokenizers.md lists.';

/** A tokenizer.json with some of its parts changed. */
const tokenizer = (change: object): string => JSON.stringify({ ...wordPieces(['the', 'card']), ...change });
const model = wordPieces(['the', 'card']).model;
const changed = (change: object, fact: string): Case => ({
  recipe: data('column: text, tokenizer: p.json'),
  files: { ...TABLE, 'p.json': tokenizer(change) },
  message: [`p.json: ${fact}`, KINDS],
});

/** Texts and their tokenizers. */
export const texts: Readonly<Record<string, Case>> = {
  'an empty text': {
    recipe: data('column: text'),
    files: { 't.csv': rows(' ,yes') },
    message: [
      't.csv:32: column "text": the text is empty',
      'Remove it, or set `missing: drop` to leave out samples without a text.',
    ],
  },
  'a text in Latin-1': {
    recipe: data('column: text'),
    files: { 't.csv': Buffer.from(rows('caf\xe9,yes'), 'latin1') },
    message: [
      't.csv:32: column "text": the text holds bytes that are no UTF-8, or the sign U+FFFD that such bytes become',
      'Save the file as UTF-8, or convert it, e.g. with `iconv -f latin1 -t utf-8`; or set `text.invalid`: `keep` reads such bytes as the sign U+FFFD, `drop` leaves the sample out.',
    ],
  },
  'an empty file among texts': {
    recipe: `dataset: {type: text-folder, train: f, validation: 2, testFraction: 0.2}\n${REST}`,
    files: {
      ...Object.fromEntries(['a', 'b'].flatMap((name) => [0, 1, 2].map((i) => [`f/${name}/${i}.txt`, `text ${i}`]))),
      'f/b/3.txt': '',
    },
    message: ['f/b/3.txt: the text is empty', 'Remove it, or set `missing: drop` to leave out samples without a text.'],
  },
  'a mean of texts': {
    recipe: data('column: text', ', missing: mean'),
    files: TABLE,
    message: ['missing: mean is for numbers, received texts', 'Set `missing: drop` to leave out rows without a text.'],
  },
  'a column of texts that is not there': {
    recipe: data('column: txt'),
    files: TABLE,
    message: [
      't.csv:1: text.column: no column "txt", the file has 2: text, label',
      'Did you mean "text"? Else set `text.column` to the name or the index of a column.',
    ],
  },
  'numbers where texts are expected': {
    recipe: `dataset: {type: jsonl, train: t.jsonl, testFraction: 0.2, text: {column: text}}\n${REST}`,
    files: { 't.jsonl': '{"text": "a", "label": "yes"}\n{"text": 7, "label": "no"}\n' },
    message: [
      't.jsonl:2: column "text": expected a text, received 7',
      'Name columns of texts as `text.column`; numbers are features of a table, which needs no `text`.',
    ],
  },
  'a tokenizer that is not JSON': {
    recipe: data('column: text, tokenizer: p.json'),
    files: { ...TABLE, 'p.json': '[PAD]\n[UNK]\n' },
    message: ['p.json: it is not JSON in UTF-8', KINDS],
  },
  'a tokenizer without a model': changed({ model: undefined }, 'it has no `model`'),
  'a tokenizer of an unknown kind': changed({ model: { ...model, type: 'Odd' } }, 'the model Odd is not supported'),
  'a vocabulary that is no list of ids': changed(
    { model: { ...model, vocab: { the: 'one' } } },
    'model.vocab "the": expected an id, received "one"',
  ),
  'a template that is none': changed({ post_processor: { type: 'Odd' } }, 'the post-processor Odd is not supported'),
  'no room for a token': {
    recipe: data('column: text, tokenizer: p.json, length: 2'),
    files: { ...TABLE, 'p.json': tokenizer({}) },
    message: ['p.json: a length of 2 leaves no room for a token beside those that the tokenizer adds', KINDS],
  },
  'hashed words with a mask for a model of one input': {
    recipe: data('column: text, tokenizer: hashed, inputs: [input_ids, attention_mask]'),
    files: TABLE,
    message: [
      'model embedding-bag: takes one input, received data for input_ids, attention_mask',
      'Leave out `text.inputs`, or name one array as `samples`; models of several inputs come from a file (`onnx`, `tfjs`) or a `module`.',
    ],
  },
  'buckets of bytes': {
    recipe: data('column: text, buckets: 64'),
    files: TABLE,
    message: [
      'r.yaml:1:85 dataset.text.buckets: expected no such key beside the tokenizer bytes: it belongs to hashed, received 64',
      'Take dataset.text.buckets out.',
    ],
  },
  'texts that are normalized': {
    recipe: data('column: text', ', normalize: none'),
    files: TABLE,
    message: [
      'r.yaml:1:88 dataset.normalize: expected no such key beside text: token ids are read as they are, received none',
      'Take dataset.normalize out.',
    ],
  },
  'texts of a teacher beside a table': {
    recipe: `dataset: {type: csv, train: d.csv, testFraction: 0.2}\nteacher: {onnx: t.onnx, text: {tokenizer: p.json}}\n${REST}`,
    message: [
      'r.yaml:2:31 teacher.text: expected no such key: the data are no texts (dataset.text), received teacher.text',
      'Take teacher.text out.',
    ],
  },
  'a mask without ids': {
    recipe: data('column: text, inputs: [attention_mask]'),
    files: TABLE,
    message: [
      'r.yaml:1:84 dataset.text.inputs: expected input_ids among them, received attention_mask',
      'Change dataset.text.inputs, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
};
