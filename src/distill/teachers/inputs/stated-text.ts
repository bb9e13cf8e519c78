import { z } from 'zod';
import { UserError } from '../../../base/errors.ts';
import { parsedJson } from '../../../base/json.ts';
import type { TextForm } from '../../../data/text/tokenizer/encode.ts';

const stated = z.object({
  tokenizer: z.enum(['bytes', 'hashed', 'tokenizer.json']),
  sha256: z.string().optional(),
  buckets: z.number().int().positive().optional(),
  ngrams: z.number().int().positive().optional(),
  texts: z.union([z.literal(1), z.literal(2)]),
  length: z.number().int().positive(),
  truncate: z.enum(['end', 'start']),
  vocabulary: z.number().int().positive(),
  padding: z.number().int().nonnegative(),
});

/** Tokenization stated by `text` in the metadata of a file; undefined if it is missing or invalid. */
export function statedText(metadata: ReadonlyMap<string, string>): TextForm | undefined {
  try {
    return stated.safeParse(parsedJson(metadata.get('text') ?? 'null')).data;
  } catch {
    return undefined;
  }
}

/** `UserError` for a file made for other tokens: it would read other texts. */
export function refuseOtherText(file: string, metadata: ReadonlyMap<string, string>, text: TextForm): void {
  const statedByFile = statedText(metadata);
  if (statedByFile === undefined) return;
  const keys = ['tokenizer', 'sha256', 'buckets', 'ngrams', 'texts', 'length', 'truncate'] as const;
  const other = keys.find((key) => statedByFile[key] !== text[key]);
  if (other === undefined) return;
  const what = other === 'sha256' ? 'the tokenizer.json of hash' : `text.${other}`;
  throw new UserError(
    `${file}: was made for ${what} ${String(statedByFile[other])}, received texts of ${String(text[other])}`,
    'Give it the tokenizer and the length that its metadata name under `text`: in `dataset.text`, or of a teacher in `teacher.text`.',
  );
}
