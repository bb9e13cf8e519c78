import type { z } from 'zod';
import type { datasetSchema } from '../recipe/schema/dataset.ts';
import type { TaskName } from '../recipe/task.ts';

export type { TaskName };

/** A value whose reader changes nothing in it. */
type Unchanged<T> = T extends object ? { readonly [Key in keyof T]: Unchanged<T[Key]> } : T;

type Given = Unchanged<z.input<typeof datasetSchema>>;
type Of<Type extends Given['type']> = Extract<Given, { type: Type }>;

/**
 * Description of a data set: the section `dataset` of a recipe, whose schema says what each key means. Paths are absolute. Keys that have a
 * default may be absent, but for the rate and length of sounds.
 */
export type DatasetConfig =
  Exclude<Given, { type: 'audio-folder' }> | Unchanged<Of<'audio-folder'> & { rate: number; seconds: number }>;

/** Keys of all types; `Source`: what a split is read from. */
export interface CommonConfig<Source> extends Omit<Of<'idx'>, 'type' | 'train' | 'test' | 'validation' | 'unlabelled'> {
  readonly train: Source;
  readonly test?: Source | undefined;
  readonly validation?: number | Source | undefined;
  readonly unlabelled?: Source | undefined;
}

export type AugmentStep = NonNullable<Given['augment']>[number];
export type NormalizeConfig = Extract<Given['normalize'], object>;

/** Files are read one after another, as if they were one. */
export type DataFiles = Of<'csv'>['train'];
export type IdxFiles = Of<'idx'>['train'];
export type NpzSource = Of<'npz'>['train'];

export type TableOptions = Pick<Of<'csv'>, 'categorical' | 'task' | 'missing' | 'separator' | 'shape'>;
export interface ImageOptions extends Pick<Of<'image-folder'>, 'resize' | 'channels'> {
  /** True to keep the way back to the picture files, for a model that sees them at another size. No key of a recipe. */
  readonly keepOriginals?: boolean | undefined;
}

/** Conversion of texts into token ids: of columns, or of files. */
export type TextConfig = NonNullable<Of<'text-folder'>['text']> & Partial<NonNullable<Of<'csv'>['text']>>;
/** A tensor that a model of several inputs takes of a text. */
export type TokenInput = NonNullable<TextConfig['inputs']>[number];

export type IdxConfig = Of<'idx'>;
export type CsvConfig = Of<'csv'>;
export type NpzConfig = Of<'npz'>;
export type ParquetConfig = Of<'parquet'> & ImageOptions;
export type JsonlConfig = Of<'jsonl'>;
export type ConllConfig = Of<'conll'>;
