import type { z } from 'zod';
import type { datasetSchema } from '../recipe/schema/dataset.ts';
import type { TaskName } from '../recipe/task.ts';

export type { TaskName };

/** The type of a section whose reader changes no value. */
type Unchanged<T> = T extends object ? { readonly [Key in keyof T]: Unchanged<T[Key]> } : T;

type Given = Unchanged<z.input<typeof datasetSchema>>;
type Of<Type extends Given['type']> = Extract<Given, { type: Type }>;

/**
 * The section `dataset` of a recipe; its schema explains the keys. Paths are absolute. Keys with a default may be absent, except rate and length of
 * sounds.
 */
export type DatasetConfig =
  Exclude<Given, { type: 'audio-folder' }> | Unchanged<Of<'audio-folder'> & { rate: number; seconds: number }>;

/** Keys of all types; `Source`: files of a split. */
export interface CommonConfig<Source> extends Omit<Of<'idx'>, 'type' | 'train' | 'test' | 'validation' | 'unlabelled'> {
  readonly train: Source;
  readonly test?: Source | undefined;
  readonly validation?: number | Source | undefined;
  readonly unlabelled?: Source | undefined;
}

export type AugmentStep = NonNullable<Given['augment']>[number];
export type NormalizeConfig = Extract<Given['normalize'], object>;

/** Files that are read in sequence, as if they were one. */
export type DataFiles = Of<'csv'>['train'];
export type IdxFiles = Of<'idx'>['train'];
export type NpzSource = Of<'npz'>['train'];

export type TableOptions = Pick<Of<'csv'>, 'categorical' | 'task' | 'missing' | 'separator' | 'shape' | 'window'>;
export type WindowConfig = NonNullable<Of<'csv'>['window']>;
export interface ImageOptions extends Pick<Of<'image-folder'>, 'resize' | 'channels'> {
  /** True to keep the encoded pictures, for a model that reads them at another size. Not a key of recipes. */
  readonly keepOriginals?: boolean | undefined;
  /** Of pictures with boxes: how `resize` fits a picture into the size. Default: `letterbox`; of other pictures: `stretch`. */
  readonly fit?: 'letterbox' | 'stretch' | undefined;
}

/** Tokenization of texts in columns or files. */
export type TextConfig = NonNullable<Of<'text-folder'>['text']> & Partial<NonNullable<Of<'csv'>['text']>>;
/** Tensor that a model with several inputs takes for a text. */
export type TokenInput = NonNullable<TextConfig['inputs']>[number];

export type IdxConfig = Of<'idx'>;
export type CsvConfig = Of<'csv'>;
export type NpzConfig = Of<'npz'>;
export type ParquetConfig = Of<'parquet'> & ImageOptions;
export type WebDatasetConfig = Of<'webdataset'>;
export type JsonlConfig = Of<'jsonl'>;
export type ConllConfig = Of<'conll'>;
