import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import { parsedJson } from '../base/json.ts';
import { DATE_PARTS } from '../data/dates.ts';
import type { Column, InputPart } from '../data/dataset.ts';
import type { TextForm } from '../data/text/tokenizer/encode.ts';

/** `preprocessing` in the metadata of a file: (value * scale - mean) / std, channel by channel, on raw values. */
const statedSchema = z.object({
  shape: z.array(z.number()),
  scale: z.number().positive(),
  mean: z.array(z.number()).min(1),
  std: z.array(z.number().positive()).min(1),
  layout: z.enum(['nchw', 'nhwc']).optional(),
  cutFrom: z.union([z.number(), z.tuple([z.number(), z.number()])]).optional(),
  filter: z.enum(['bilinear', 'bicubic', 'lanczos']).optional(),
  fit: z.literal('letterbox').optional(),
});
export type StatedPreparation = z.infer<typeof statedSchema>;

/** Preparation stated in the metadata of a file; absent or invalid entries are left out. */
export function statedIn(metadata: ReadonlyMap<string, string>): {
  readonly preprocessing?: StatedPreparation | undefined;
  /** Class names in the order of the file. */
  readonly labels?: readonly string[] | undefined;
  /** Names of the file's outputs: classes, or whatever else it predicts. */
  readonly names?: readonly string[] | undefined;
} {
  const [labels, targets] = [namesIn(metadata, 'labels'), namesIn(metadata, 'targets')];
  const preprocessing = statedSchema.safeParse(jsonOf(metadata.get('preprocessing'))).data;
  return { preprocessing, labels, names: labels ?? targets };
}

/** Refuses a file that takes a hop at a time and keeps its past, where whole samples go in. */
export function refuseStream(file: string, metadata: ReadonlyMap<string, string>): void {
  if (!metadata.has('stream')) return;
  throw new UserError(
    `${file}: is a stream, which takes a hop of a sample at a time, and whole samples would go in here`,
    'Give the file of whole samples that it was made of (`limbeck inspect` says what a stream takes).',
  );
}

/** Names listed under a key of a file's metadata. */
export function namesIn(
  metadata: ReadonlyMap<string, string>,
  key: 'labels' | 'targets' | 'names',
): readonly string[] | undefined {
  return z.array(z.coerce.string()).safeParse(jsonOf(metadata.get(key))).data;
}

/** Slices of a sample for each input of a file with several inputs; undefined if the metadata do not tell. */
export function partsIn(metadata: ReadonlyMap<string, string>): readonly InputPart[] | undefined {
  const count = z.number().int().nonnegative();
  const schema = z.array(z.object({ name: z.string(), shape: z.array(count), from: count, isWhole: z.boolean() }));
  return schema.safeParse(jsonOf(metadata.get('inputs'))).data;
}

/** An output of a file whose answers have several fields. */
export interface StatedField {
  readonly name: string;
  /** Shape for one sample. */
  readonly shape: readonly number[];
}

/** Outputs of a file whose answers have several fields, in the order in which they stand in an answer; undefined for other files. */
export function fieldsIn(metadata: ReadonlyMap<string, string>): readonly StatedField[] | undefined {
  const schema = z.array(z.object({ name: z.string(), shape: z.array(z.number().int().nonnegative()) })).min(2);
  return schema.safeParse(jsonOf(metadata.get('fields'))).data;
}

/** Columns and words of a table that a file was made for; undefined if the metadata do not tell. */
export function columnsIn(metadata: ReadonlyMap<string, string>): readonly Column[] | undefined {
  const words = z.array(z.string()).optional();
  const date = z.array(z.enum(DATE_PARTS)).min(1).optional();
  const missing = z.union([z.number(), z.array(z.number())]).optional();
  const column = z.object({ name: z.string(), words, date, missing });
  const isWhole = ({ date, missing }: z.infer<typeof column>): boolean =>
    missing === undefined || [missing].flat().length === (date?.length ?? 1);
  const schema = z.array(column.refine(isWhole));
  return schema.safeParse(jsonOf(metadata.get('columns'))).data;
}

/** Pairs of indexes of points that lines join; undefined if the metadata do not tell, or name another index than those of `count` points. */
export function skeletonIn(metadata: ReadonlyMap<string, string>, count: number): [number, number][] | undefined {
  const index = z
    .int()
    .min(0)
    .max(count - 1);
  return z.array(z.tuple([index, index])).safeParse(jsonOf(metadata.get('skeleton'))).data;
}

/** Values a second of the sounds that a file was made for; undefined if the metadata do not tell. */
export function rateIn(metadata: ReadonlyMap<string, string>): number | undefined {
  return z.object({ rate: z.number() }).safeParse(jsonOf(metadata.get('sound'))).data?.rate;
}

const textSchema = z.object({
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
  return textSchema.safeParse(jsonOf(metadata.get('text'))).data;
}

function jsonOf(text: string | undefined): unknown {
  try {
    return parsedJson(text ?? 'null');
  } catch {
    return undefined;
  }
}
