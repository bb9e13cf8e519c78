import type { TaskName } from '../recipe/task.ts';

export type { TaskName };

/**
 * Description of a data set as plain types that mirror the recipe's schema: what is read, and how. Paths are absolute. Optional keys may
 * also be present and undefined, as a parsed recipe has them.
 */

/** One step of the augmentation, applied in the order given; shapes are those of the sample, lengths are in pixels. */
export type AugmentStep =
  /** Move by up to this many pixels each way; what comes in at the edge is black. */
  | { shift: number }
  /** Pad on all sides, then cut out the original size: `shift` whose edge can also mirror the picture. */
  | { crop: number | { padding: number; edge?: 'black' | 'reflect' | undefined } }
  /** Mirror half of the samples. */
  | { flip: 'horizontal' | 'vertical' }
  /** Turn by an angle drawn from -degrees … +degrees, bilinear. */
  | { rotate: number }
  /** Blank a square of this side (DeVries and Taylor 2017, "Improved regularization of CNNs with cutout"). */
  | { cutout: number }
  /** A part of the image drawn to its whole size: shares of its area, and width / height (default 0.08 … 1 and 3/4 … 4/3). */
  | { resizedCrop: { area?: readonly [number, number] | undefined; ratio?: readonly [number, number] | undefined } }
  /** A box of some images becomes noise (default: of half of them, 0.02 … 0.4 of the area, width / height 0.3 … 1/0.3). */
  | {
      erase: {
        probability?: number | undefined;
        area?: readonly [number, number] | undefined;
        ratio?: readonly [number, number] | undefined;
      };
    }
  /** RandAugment: this number of operations out of fourteen (default 2), with a magnitude of 0 to 30 (default 9). */
  | { randAugment: { operations?: number | undefined; magnitude?: number | undefined } }
  /** A box of another sample of the batch in each sample, its area from Beta(cutmix, cutmix). Beside mixup: batch by batch one of the two. */
  | { cutmix: number }
  /** Sounds: move in time by up to this share of their length each way. */
  | { timeShift: number }
  /** Sounds: louder or softer by up to this many decibels. */
  | { gain: number }
  /** Sounds: white noise, at a signal-to-noise ratio between these two, in decibels. */
  | { noise: readonly [number, number] }
  /** Sounds: a random stretch of a WAV file of a folder, in this share of the samples, at a ratio between these two (default: all, 0 … 30). */
  | {
      background: {
        folder: string;
        ratio?: readonly [number, number] | undefined;
        probability?: number | undefined;
      };
    }
  /** Mix two samples of a batch, with a weight from Beta(mixup, mixup) (Zhang et al. 2018, "mixup"). */
  | { mixup: number };

/** `(value · scale - mean) / std`, per channel or feature; `scale` is 1/255 for 8-bit images and 1 otherwise. */
export interface NormalizeConfig {
  mean: number | readonly number[];
  std: number | readonly number[];
  scale?: number | undefined;
}

/** Treatment of an empty or unknown value in a table: stop, use the column's train mean or zero, or leave the row out. */
type MissingPolicy = 'error' | 'mean' | 'zero' | 'drop';

export interface CommonConfig<Source> {
  /** Default: classification. */
  task?: TaskName | undefined;
  train: Source;
  /** The test split; absent means none, unless `testFraction` carves one. */
  test?: Source | undefined;
  /** A fraction of train (0 < f < 1), a number of samples (≥ 1), or files of its own. Default 0.1. */
  validation?: number | Source | undefined;
  /** Carve this fraction of train as the test split; only without `test`. */
  testFraction?: number | undefined;
  /** Samples without a label, which train is added: a teacher answers for them. Labels that their files may hold are not read. */
  unlabelled?: Source | undefined;
  /**
   * So many samples of train keep their label, every class with its share; the others count as samples without one. 0: no labels are
   * read, of any split, and models are scored against the teacher. Default: as many as there are.
   */
  labelled?: number | undefined;
  /** Seed that decides which samples `validation`, `testFraction` and `labelled` take. Default 1, whatever the seed of the recipe. */
  splitSeed?: number | undefined;
  /** Keep at most this many samples of each split, every class with its share. Default: all. */
  limit?: number | undefined;
  /** Class names in index order. Default: what the file says, else the sorted labels of train. */
  classes?: readonly string[] | undefined;
  /** Name of the model that labelled the samples, where nobody knows the true labels. Scores are then agreement with it. */
  labelledBy?: string | undefined;
  /** `unit`: 8-bit values / 255; `standard`: mean and deviation of train. Default: `unit` for 8-bit images, else `standard`. */
  normalize?: 'none' | 'unit' | 'standard' | NormalizeConfig | undefined;
  augment?: readonly AugmentStep[] | undefined;
  /** `balanced`: n / (classes · count), so that each class weighs the same; or one weight per class. Default: none. */
  classWeights?: 'balanced' | readonly number[] | undefined;
}

export interface TableOptions {
  /** Columns of words: a model sees a number of 0 and 1 for each word that train has there. By name, in CSV by index too. */
  categorical?: readonly (string | number)[] | undefined;
  /** Task of the data set. With several labels a sample may have none; then a column that lists them is empty. */
  task?: TaskName | undefined;
  missing?: MissingPolicy | undefined;
  /** Separator between the numbers or labels of a sample, in a column that lists several. Default `|`. */
  separator?: string | undefined;
  /** Reshape the features of a row, e.g. `[8, 8, 1]` for pictures stored as columns. */
  shape?: readonly number[] | undefined;
}

/** A tensor that a model of several inputs takes of a text. */
export type TokenInput = 'input_ids' | 'attention_mask' | 'token_type_ids';

/** Conversion of texts into token ids. */
export interface TextConfig {
  /** Column of the texts by name or, in CSV, index; two for pairs. A folder of texts has none. */
  column?: string | number | readonly (string | number)[] | undefined;
  /** `bytes`, `hashed`, or the file tokenizer.json of Hugging Face. Default: bytes. */
  tokenizer?: string | undefined;
  /** Tokens of a sample: shorter ones are filled up, longer ones cut. Default 128. */
  length?: number | undefined;
  /** End of longer texts that is cut off. Default: `end`. */
  truncate?: 'end' | 'start' | undefined;
  /** hashed: number of ids. Default 4096. */
  buckets?: number | undefined;
  /** hashed: most words in a row that have an id of their own. Default 2. */
  ngrams?: number | undefined;
  /** Inputs of a model of several. Default: one input, of token ids. */
  inputs?: readonly TokenInput[] | undefined;
}

interface TextOptions {
  /** Samples are texts. */
  text?: TextConfig | undefined;
}

export interface ImageOptions {
  /** `[height, width]` that every image is scaled to. Default: none; images of different sizes are an error. */
  resize?: readonly [number, number] | undefined;
  /** Default: as the first image has, transparency dropped. */
  channels?: 1 | 3 | undefined;
  /** True to keep the way back to the picture files, for a model that sees them at another size. No key of a recipe. */
  keepOriginals?: boolean | undefined;
}

export interface IdxFiles {
  images: string;
  /** Absent of samples without labels. */
  labels?: string | undefined;
}

export interface IdxConfig extends CommonConfig<IdxFiles> {
  type: 'idx';
}

/** Files are read one after another, as if they were one. */
export type Files = string | readonly string[];

export interface CsvConfig extends CommonConfig<Files>, TableOptions, TextOptions {
  type: 'csv';
  /**
   * Column name, or index from 0 (negative: from the end). Default: `label` with a header, else the last column. Several: numbers to
   * predict.
   */
  label?: string | number | readonly (string | number)[] | undefined;
  /** Columns that are neither label nor feature. */
  ignore?: readonly (string | number)[] | undefined;
  /** True if the first line names the columns. Default true. */
  header?: boolean | undefined;
  /** Default `,`. */
  delimiter?: string | undefined;
}

/** A folder as it comes out of the archive (standard file names), or the `.bin` files themselves. */
interface Cifar10Config extends CommonConfig<Files> {
  type: 'cifar10';
}

interface Cifar100Config extends CommonConfig<Files> {
  type: 'cifar100';
  /** The 100 `fine` classes or the 20 `coarse` ones. Default `fine`. */
  labels?: 'fine' | 'coarse' | undefined;
}

/** A folder with one sub-folder per class. */
interface ImageFolderConfig extends CommonConfig<string>, ImageOptions {
  type: 'image-folder';
}

/** A folder with one sub-folder of WAV files per class. */
interface AudioFolderConfig extends CommonConfig<string> {
  type: 'audio-folder';
  /** Values a second that every sound is brought to. */
  rate: number;
  /** Length of a sample. */
  seconds: number;
}

/** A folder with one sub-folder per class, of .txt files. */
interface TextFolderConfig extends CommonConfig<string>, Pick<TableOptions, 'missing'> {
  type: 'text-folder';
  text?: TextConfig | undefined;
}

/** Two `.npy` files, or two arrays of one `.npz` file (default `x` and `y`). */
export type NpzSource =
  | { samples: string; labels?: string | undefined }
  | {
      file: string;
      /** Several, for a model of several inputs: their names are those of its inputs. */
      samples?: string | readonly string[] | undefined;
      labels?: string | undefined;
    };

export interface NpzConfig extends CommonConfig<NpzSource> {
  type: 'npz';
  /**
   * Order of the axes of image arrays, of which [count, height, width] are then grey ones. Default: as they are, but an error asks for it where
   * the channels seem to come first.
   */
  layout?: 'nhwc' | 'nchw' | undefined;
}

export interface ParquetConfig extends CommonConfig<Files>, TableOptions, ImageOptions, TextOptions {
  type: 'parquet';
  /** Column of encoded images. Default: `image` or `img` where the file has it. */
  image?: string | undefined;
  /** Numeric columns, or one column of lists. Default: all but the label. */
  features?: string | readonly string[] | undefined;
  /** Default `label`. Several: numbers to predict. */
  label?: string | readonly string[] | undefined;
}

export interface JsonlConfig extends CommonConfig<Files>, TableOptions, TextOptions {
  type: 'jsonl';
  /** One key that holds an array of numbers, or several that hold a number each. Default: `features`, else all of the first line but the label. */
  features?: string | readonly string[] | undefined;
  /** Default `label`. Several: numbers to predict. */
  label?: string | readonly string[] | undefined;
}

/** Text files of a token and its tag on each line, and a blank line behind each sentence. */
export interface ConllConfig extends CommonConfig<Files>, Pick<TableOptions, 'task' | 'separator'> {
  type: 'conll';
  text?: TextConfig | undefined;
  /** Column of the tags, from 0; negative: from the end. Default: the last. */
  label?: number | undefined;
}

export type DatasetConfig =
  | IdxConfig
  | CsvConfig
  | Cifar10Config
  | Cifar100Config
  | ImageFolderConfig
  | AudioFolderConfig
  | TextFolderConfig
  | NpzConfig
  | ParquetConfig
  | JsonlConfig
  | ConllConfig;
