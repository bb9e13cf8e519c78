import { isOfTexts } from '../data-types.ts';
import type { KeyRule } from '../rule.ts';
import { z } from 'zod';
import { count, file } from './parts.ts';

const tokenizer = file
  .optional()
  .describe('`bytes`, `hashed` (n-grams of words), or the file tokenizer.json of Hugging Face; default: bytes.');
const length = count
  .max(8192)
  .optional()
  .describe('Number of tokens of a sample: shorter ones are padded, longer ones cut; default: 128.');
const truncate = z.enum(['end', 'start']).optional().describe('End of a long text that is cut off; default: end.');

const keys = {
  tokenizer,
  length,
  truncate,
  buckets: z.int().min(16).max(1_000_000).optional().describe('hashed: number of ids; default: 4096.'),
  ngrams: z
    .int()
    .min(1)
    .max(5)
    .optional()
    .describe('hashed: maximum number of consecutive words with an id; default: 2.'),
  invalid: z
    .enum(['keep', 'drop', 'refuse'])
    .optional()
    .describe(
      'Texts with bytes that are no UTF-8, or with the sign U+FFFD in their place: keep, drop or refuse them. Default: keep the sign, refuse the bytes.',
    ),
  inputs: z
    .array(z.enum(['input_ids', 'attention_mask', 'token_type_ids']))
    .min(1)
    .optional()
    .describe('Inputs of a student with several, by name; default: a single input of token ids.'),
};

const column = z.union([z.string(), z.int()]);

/** Texts in files of their own. */
export const textOfFiles = z.strictObject(keys).optional().describe('Tokenization of texts.');

/** Texts in files of their own, or in lines of JSON. */
export const textOfDocuments = z
  .strictObject({
    column: z.string().min(1).optional().describe('Key of the text in JSON lines; default: text.'),
    ...keys,
  })
  .optional()
  .describe('Tokenization of texts.');

/** Texts in columns. */
export const textOfColumns = z
  .strictObject({
    column: z
      .union([column, z.array(column).min(1).max(2)])
      .describe('Column of the texts by name, or in CSV by index; two for pairs.'),
    ...keys,
  })
  .optional()
  .describe('Samples are texts: their columns and tokenization.');

/** Tokens for a teacher from a file, if not the student's. */
export const teacherText = z
  .strictObject({ tokenizer, length })
  .describe('Its own tokenizer, for texts; default: the settings of dataset.text.');

/** Rule that refuses a key of `dataset` or `teacher` for texts. */
function noneOf(key: string, why: string): KeyRule {
  return {
    keys: [key, 'dataset'],
    when: (value: unknown, dataset: { readonly type: string }) => isOfTexts(dataset) && !isEmptyList(value),
    because: why,
    isSpare: true,
  };
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;
const READ = 'no such key beside text: token ids are read as they are';
const NAMED = 'no such key for texts: inputs are found by name';
const OF_PICTURES = ['normalize', 'ignore', 'features', 'image', 'shape', 'resize', 'channels'];

export const textRules: readonly KeyRule[] = [
  {
    keys: ['dataset.text.inputs'],
    when: (inputs: readonly string[]) => !inputs.includes('input_ids'),
    because: 'input_ids among them',
    received: (inputs: readonly string[]) => inputs.join(', '),
  },
  ...['buckets', 'ngrams'].map((key): KeyRule => ({
    keys: [`dataset.text.${key}`, 'dataset.text.tokenizer'],
    when: (_given: number, tokenizer?: string) => tokenizer !== 'hashed',
    because: (_given: number, tokenizer = 'bytes') =>
      `no such key beside the tokenizer ${tokenizer}: it belongs to hashed`,
    isSpare: true,
  })),
  {
    keys: ['teacher.text', 'dataset'],
    when: (_text: object, dataset: { readonly type: string }) => !isOfTexts(dataset),
    because: 'no such key: the data are no texts (dataset.text)',
    received: 'teacher.text',
    isSpare: true,
  },
  {
    keys: ['teacher.text', 'dataset', 'teacher.train', 'teacher.logits'],
    when: (_text: object, dataset: { readonly type: string }, train?: object, logits?: string) =>
      isOfTexts(dataset) && (train ?? logits) !== undefined,
    because: 'no such key beside a teacher that is no file: it reads what the student reads',
    received: 'teacher.text',
    isSpare: true,
  },
  ...OF_PICTURES.map((key) => noneOf(`dataset.${key}`, READ)),
  noneOf('teacher.normalize', NAMED),
  noneOf('teacher.input', NAMED),
  { ...noneOf('dataset.augment', 'none for texts: pictures are changed at random'), received: 'augment' },
];
