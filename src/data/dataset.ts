import { createHash } from 'node:crypto';
import { bytesOf } from '../base/bytes.ts';
import type { TaskName } from './config.ts';
import { areBytes, blocksOf } from './storage/sample-storage.ts';
import type { HeldSamples, Samples } from './storage/sample-storage.ts';
import type { TextForm } from './text/encode.ts';

/** `(value · scale - mean[c]) / std[c]`, where c is the last axis: the channel of an image, the feature of a table. */
export interface Normalization {
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** One of several inputs of a model: a part of the row of numbers that a sample is. */
export interface InputPart {
  readonly name: string;
  /** Shape of one sample. */
  readonly shape: readonly number[];
  /** Position of its first number in the row. */
  readonly from: number;
  /** Ids, masks, counts: numbers that are never normalized, and that an input of integers can take. */
  readonly isWhole: boolean;
}

/** A column of a table as a model sees it: one number, or a number of 0 and 1 for each of its words. */
export interface Column {
  readonly name: string;
  /** The words of train in order; any other word is 0 in all of them. */
  readonly words?: readonly string[] | undefined;
}

/** Words of a column of a split as it was read: the numbers in its place point into them, -1: missing. */
interface ColumnWords {
  /** Its place among the columns. */
  readonly column: number;
  readonly names: readonly string[];
  readonly firstAt: readonly string[];
}

export type { Samples };

/** One split. Images stay 8-bit until a batch is made: a quarter of the memory. */
export interface Dataset extends HeldSamples {
  /** `train`, `validation` or `test`. */
  readonly name: string;
  /** `[height, width, channels]` for images, `[steps, channels]` for sequences, `[features]` for tables, `[values, 1]` for sounds. */
  readonly sampleShape: readonly number[];
  /** Parts of a sample that belong to each input, for a model with several. */
  readonly inputs?: readonly InputPart[] | undefined;
  /** Columns of a data set of tables, with the words of those that have some. */
  readonly columns?: readonly Column[] | undefined;
  /** Conversion of texts into these samples, for data sets of texts. */
  readonly text?: TextForm | undefined;
  /** The same samples, row by row, as a teacher is fed them that has a tokenizer of its own. */
  readonly forTeacher?: Dataset | undefined;
  /** Task that the targets belong to; its `Task` value is in `src/tasks`. */
  readonly task: TaskName;
  /** Names of the model's outputs: the classes, or the label columns. */
  readonly classNames: readonly string[];
  readonly count: number;
  /** The split in whose files `ids` count: `train` for a validation split that was carved from it. */
  readonly idPrefix: string;
  /** [count] the position of each sample in its files; it stays the same however the split is drawn or shuffled. */
  readonly ids: Int32Array;
  /**
   * [count, ...sampleShape], before normalization; on a SharedArrayBuffer, so that workers see it without a copy. Those that do not fit into
   * memory are in a file, see `HeldSamples`.
   */
  readonly samples: Samples;
  /** [count] class indexes; of regression [count, classNames.length] numbers; of tagging [count, text.length]. Of samples without a label they mean nothing. */
  readonly targets: TargetValues;
  /** [count] 1 where a sample has a label, else 0; absent where all have one. */
  readonly labelled?: Uint8Array | undefined;
  /** Mean and deviation of each number to predict over train, in the label's units. */
  readonly scaling?: Scaling | undefined;
  readonly normalization: Normalization;
  /** Sounds: values a second. */
  readonly rate?: number | undefined;
  /** Noise that the augmentation of sounds adds, by folder. */
  readonly backgrounds?: Backgrounds | undefined;
  /** The pictures that `samples` were made of, where they are files: kept where someone wants them at another size. */
  readonly originals?: Originals | 'not kept' | undefined;
}

/** Sounds of a folder, one behind the other, at the rate of the data. */
export interface Background {
  /** On a SharedArrayBuffer, so that workers see it without a copy. */
  readonly values: Float32Array;
  /** Start of each in order, followed by the end of the last one. */
  readonly starts: readonly number[];
}

/** By folder. */
export type Backgrounds = Readonly<Record<string, Background>>;

export interface EncodedImage {
  /** For messages, e.g. a path or `x.parquet: row 7`. */
  readonly where: string;
  /** A path, or the bytes of the file. */
  readonly input: string | Uint8Array;
}

/** Pictures as they are stored, found by the ids of samples. */
export interface Originals {
  readonly images: readonly EncodedImage[];
  /** A hash of all of their bytes. */
  readonly hash: string;
}

export type TargetValues = Int32Array | Float32Array;

export interface Scaling {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** The stable name of a sample, e.g. `train/1234`. */
export function sampleId(dataset: Pick<Dataset, 'idPrefix' | 'ids'>, row: number): string {
  return `${dataset.idPrefix}/${dataset.ids[row]!}`;
}

export function countOfElements(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

export function isImageShape(shape: readonly number[]): shape is readonly [number, number, number] {
  return shape.length === 3;
}

/** True for sounds: [values, 1], one value after another in time. */
export function isSoundShape(shape: readonly number[]): boolean {
  return shape.length === 2 && shape[1] === 1;
}

/** The samples as the teacher is fed them. */
export function asTeacherSees(dataset: Dataset): Dataset {
  return dataset.forTeacher ?? dataset;
}

/** Hash of the parts of a data set, and the parts that it is of. */
interface Fingerprint {
  readonly parts: readonly unknown[];
  readonly digest: string;
}

/** Hashes that were taken, by the ids of the data set: other objects may have the same samples, which are passed over once. */
const taken = new WeakMap<Int32Array, readonly Fingerprint[]>();

/** A hash of everything a teacher's answer depends on: the samples, their ids, their order and their normalization. */
export function fingerprint(dataset: Dataset): string {
  const known = knownFingerprint(dataset);
  if (known !== undefined) return known;
  const [head, ids, targets, ...rest] = fingerprintedParts(dataset);
  const hash = createHash('sha256').update(head).update(bytesOf(ids)).update(bytesOf(targets));
  for (const block of blocksOf(dataset)) hash.update(bytesOf(block));
  for (const values of rest) hash.update(bytesOf(values));
  const digest = hash.digest('hex');
  rememberFingerprint(dataset, digest);
  return digest;
}

/** All that the fingerprint is of but the samples. */
export function fingerprintedParts(
  dataset: Dataset,
): readonly [head: string, ids: Int32Array, targets: TargetValues, ...rest: (Uint8Array | Float32Array)[]] {
  const { idPrefix, sampleShape, inputs, text, classNames, normalization, ids, targets, labelled } = dataset;
  const type = areBytes(dataset) ? 'Uint8Array' : 'Float32Array';
  const originals = typeof dataset.originals === 'object' ? dataset.originals.hash : undefined;
  const added = Object.values(dataset.backgrounds ?? {});
  const noise = added.length === 0 ? undefined : added.map(({ starts }) => starts);
  const head = JSON.stringify({ idPrefix, sampleShape, inputs, text, classNames, normalization, type, originals, noise }); // prettier-ignore
  return [head, ids, targets, ...(labelled === undefined ? [] : [labelled]), ...added.map(({ values }) => values)];
}

export function rememberFingerprint(dataset: Dataset, digest: string): void {
  if (knownFingerprint(dataset) !== undefined) return;
  taken.set(dataset.ids, [...(taken.get(dataset.ids) ?? []), { parts: identifying(dataset), digest }]);
}

function knownFingerprint(dataset: Dataset): string | undefined {
  const parts = identifying(dataset);
  const isSame = (one: Fingerprint): boolean =>
    one.parts.length === parts.length && one.parts.every((part, i) => part === parts[i]);
  return taken.get(dataset.ids)?.find(isSame)?.digest;
}

/** Parts that are compared as objects: the same ones are of the same numbers. */
function identifying(dataset: Dataset): readonly unknown[] {
  return [...fingerprintedParts(dataset), dataset.stored ?? dataset.samples];
}

export function sharedBytes(length: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length));
}

export function sharedFloats(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(length * 4));
}

/** Numbers in the bytes of a file as float32; where no `type` says how to read them, the bytes themselves. */
export function storedSamples(
  body: Uint8Array,
  count: number,
  type: { readonly bytes: number; readonly read: (view: DataView, at: number) => number } | undefined,
): Samples {
  if (type === undefined) {
    const bytes = sharedBytes(body.length);
    bytes.set(body);
    return bytes;
  }
  const samples = sharedFloats(count);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  for (let i = 0; i < count; i++) samples[i] = type.read(view, i * type.bytes);
  return samples;
}

/** Result of a reader: one split as its files have it, labels not yet mapped to classes. */
export interface RawSplit extends HeldSamples {
  /** File or folder that the samples came from, for messages. */
  readonly source: string;
  readonly sampleShape: readonly number[];
  /** See `Dataset`. */
  readonly inputs?: readonly InputPart[] | undefined;
  readonly text?: TextForm | undefined;
  readonly labels: RawLabels;
  /** Of samples that are words with a tag each. */
  readonly starts?: WordStarts | undefined;
  /** Class names that the file itself holds. */
  readonly classNames?: readonly string[];
  /** The position of each sample in its files; absent: 0 … count - 1. */
  readonly ids?: Int32Array;
  /** Column names of a table. */
  readonly columns?: readonly string[];
  /** Words of columns of words, which the numbers in their place point into. */
  readonly words?: readonly ColumnWords[] | undefined;
  /** Names of its label columns. */
  readonly labelNames?: readonly string[];
  /** NaN in `samples` stands for a value to be replaced by the column's mean over train. */
  readonly fillWithMean?: boolean;
  readonly originals?: Originals | 'not kept' | undefined;
  /** Oddities of the files that are no error, one sentence each. */
  readonly notes?: readonly string[];
}

/** Tokens that words begin with. */
interface WordStarts {
  /** [count, text.length] the position of the word that begins with this token among those of its sample; -1 elsewhere. */
  readonly words: Int32Array;
  /** [count] words of each sample, those without a token too. */
  readonly counts: Int32Array;
}

export type RawLabels =
  | LabelWords
  /** Several label columns; `values` are those of the first. */
  | {
      readonly kind: 'columns';
      readonly names: readonly string[];
      readonly columns: readonly LabelWords[];
      readonly values: Int32Array;
    }
  /** [count, width] numbers as stored; NaN: none. */
  | { readonly kind: 'numbers'; readonly values: Float32Array; readonly width: number }
  /** Class indexes as stored; -1 beside 0: none. */
  | { readonly kind: 'index'; readonly values: Int32Array };

/** `values` point into `names`, which are in order of first appearance, -1: no label; `firstAt` says where that was, e.g. `x.csv:7`. */
export interface LabelWords {
  readonly kind: 'name';
  readonly values: Int32Array;
  readonly names: readonly string[];
  readonly firstAt: readonly string[];
  /** Place of the first sample without a label, e.g. `x.csv:7`. */
  readonly noneAt?: string | undefined;
}
