import { isOfTexts } from '../data-types.ts';
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
export const textOfFiles = z
  .strictObject(keys)
  .superRefine((text, context) => refuseUnread(text, context))
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
  .superRefine((text, context) => refuseUnread(text, context))
  .optional()
  .describe('Samples are texts: their columns and tokenization.');

function refuseUnread(
  {
    tokenizer: named = 'bytes',
    buckets,
    ngrams,
    inputs = ['input_ids'],
  }: { tokenizer?: string | undefined; buckets?: unknown; ngrams?: unknown; inputs?: readonly string[] | undefined },
  context: z.RefinementCtx,
): void {
  if (!inputs.includes('input_ids')) {
    const params = { expected: 'input_ids among them', received: inputs.join(', ') };
    context.addIssue({ code: 'custom', message: 'no ids', path: ['inputs'], params });
  }
  if (named === 'hashed') return;
  for (const [key, received] of Object.entries({ buckets, ngrams })) {
    if (received === undefined) continue;
    const params = { expected: `no such key beside the tokenizer ${named}: it belongs to hashed`, received };
    context.addIssue({ code: 'custom', message: 'not read', path: [key], params });
  }
}

/** Tokens for a teacher from a file, if not the student's. */
export const teacherText = z
  .strictObject({ tokenizer, length, truncate })
  .describe('Its own tokenizer, for texts; default: the settings of dataset.text.');

interface Checked {
  readonly dataset: Readonly<Record<string, unknown>> & { readonly type: string };
  readonly teacher?: Readonly<Record<string, unknown>> | undefined;
}

/** Refuses keys that do not apply to texts, and `teacher.text` without texts. */
export function refuseForText({ dataset, teacher }: Checked, context: z.RefinementCtx): void {
  const isText = isOfTexts(dataset);
  const refuse = (path: readonly string[], expected: string, received: unknown): void =>
    context.addIssue({ code: 'custom', message: 'not of texts', path: [...path], params: { expected, received } });
  if (teacher?.['text'] !== undefined) {
    if (!isText) refuse(['teacher', 'text'], 'no such key: the data are no texts (dataset.text)', 'teacher.text');
    else if (teacher['train'] !== undefined || teacher['logits'] !== undefined)
      refuse(
        ['teacher', 'text'],
        'no such key beside a teacher that is no file: it reads what the student reads',
        'teacher.text',
      );
  }
  if (!isText) return;
  const { normalize, augment, ignore, features, image, shape, resize, channels } = dataset;
  const perKey = { normalize, ignore, features, image, shape, resize, channels };
  for (const [key, value] of Object.entries(perKey))
    if (value !== undefined) refuse(['dataset', key], 'no such key beside text: token ids are read as they are', value);
  const ofTeacher = { normalize: teacher?.['normalize'], input: teacher?.['input'] };
  for (const [key, value] of Object.entries(ofTeacher))
    if (value !== undefined) refuse(['teacher', key], 'no such key for texts: inputs are found by name', value);
  if (Array.isArray(augment) && augment.length > 0)
    refuse(['dataset', 'augment'], 'none for texts: pictures are changed at random', 'augment');
}
