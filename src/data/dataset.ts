import { createHash } from 'node:crypto';
import { bytesOf, inPieces } from '../base/bytes.ts';
import type { ChosenScore } from '../recipe/answer-forms.ts';
import type { TaskName } from './config.ts';
import type { DatePart } from './dates.ts';
import { areBytes, bytesOfSamples } from './storage/sample-storage.ts';
import type { HeldSamples, Samples } from './storage/sample-storage.ts';
import type { TextForm } from './text/tokenizer/encode.ts';

/** Normalization `(value · scale - mean[c]) / std[c]`, where c is the index of the last axis: the channel of an image, the feature of a table. */
export interface Normalization {
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Slice of a sample's row of numbers that belongs to one of several inputs of a model. */
export interface InputPart {
  readonly name: string;
  /** Shape of one sample. */
  readonly shape: readonly number[];
  /** Index of its first number in the row. */
  readonly from: number;
  /** True for ids, masks and counts: never normalized, and accepted by integer inputs. */
  readonly isWhole: boolean;
}

/** A vector of length 1, and its prefixes that are used as shorter vectors. */
export interface VectorForm {
  /** Number of elements. */
  readonly size: number;
  /** Numbers of elements of shorter vectors, ascending; without `size`. */
  readonly prefixes: readonly number[];
  /** The mean of the teacher's vectors is subtracted from each. */
  readonly centred?: boolean | undefined;
  /** Samples of a class, or of a pair, that a batch of training has beside one another. */
  readonly perClass?: number | undefined;
  /** Largest size of a similarity of pairs. */
  readonly largest?: number | undefined;
}

/** Points of an object, by their indexes. */
export interface PointsForm {
  /** Pairs of points that a line joins. */
  readonly skeleton: readonly (readonly [number, number])[];
  /** Index of the point that takes the place of each in a flipped picture; -1 where nobody has said. */
  readonly partners: readonly number[];
  /** Deviation of a person's labels of each point, as a share of the root of the object's area. */
  readonly sigmas: readonly number[];
  /** Distances within which a point counts as found, as shares of the picture's longer side; the first makes the score. */
  readonly pck: readonly number[];
}

/** A column of a table in the samples: one number, a one-hot number for each of its words, or the parts of its dates. */
export interface Column {
  readonly name: string;
  /** The words of train in order; any other word has 0 everywhere. */
  readonly words?: readonly string[] | undefined;
  /** Parts that stand for a date. */
  readonly date?: readonly DatePart[] | undefined;
  /** Number in place of a missing value, as in train, or one for each part of a date; 0 for words, of which it is none. Absent: a value must be there. */
  readonly missing?: number | readonly number[] | undefined;
}

/** Missing values of a table: pairs of a sample's id and the index of a column, in ascending order of ids. */
export type MissingValues = Int32Array;

/** Dates of a column of a split, in milliseconds since 1970-01-01, NaN if missing; the column then holds what stands for a missing value. */
interface ColumnDates {
  /** Index of the column. */
  readonly column: number;
  readonly times: readonly number[];
}

/** Words of a column of a split. The column holds indexes into `words`, -1 if missing. */
interface ColumnWords {
  /** Index of the column. */
  readonly column: number;
  readonly names: readonly string[];
  readonly firstAt: readonly string[];
}

export type { Samples };

/** One split. Images stay 8-bit until a batch is made, in a quarter of the memory. */
export interface Dataset extends HeldSamples {
  /** `train`, `validation` or `test`. */
  readonly name: string;
  /** `[height, width, channels]` for images, `[steps, channels]` for sequences, `[features]` for tables, `[values, 1]` for sounds. */
  readonly sampleShape: readonly number[];
  /** Slices of a sample for each input of a model with several inputs. */
  readonly inputs?: readonly InputPart[] | undefined;
  /** Columns of tabular data, with the words of categorical columns. */
  readonly columns?: readonly Column[] | undefined;
  /** Missing values of a table, in whose place `samples` has the recipe's numbers; absent without any. */
  readonly missing?: MissingValues | undefined;
  /** Tokenization of these samples, for texts. */
  readonly text?: TextForm | undefined;
  /** The same samples, row by row, in the form that a teacher with another tokenizer reads. */
  readonly forTeacher?: Dataset | undefined;
  /** Name of the task; its `Task` value is in `src/tasks`. */
  readonly task: TaskName;
  /** Score that the recipe chooses in place of the task's own. */
  readonly score?: ChosenScore | undefined;
  /** Names of the model's outputs: classes or label columns. */
  readonly classNames: readonly string[];
  readonly count: number;
  /** The split whose files `ids` refer to: `train` for a validation split drawn from it. */
  readonly idPrefix: string;
  /** [count] position of each sample in its files, however the split is drawn or shuffled. */
  readonly ids: Int32Array;
  /**
   * [count, ...sampleShape], before normalization; on a SharedArrayBuffer, so that workers share it. Samples too large for memory are in a file, see
   * `HeldSamples`.
   */
  readonly samples: Samples;
  /**
   * [count] class indexes; for regression [count, classNames.length] numbers; for tagging [count, text.length]. Values of samples without a label are
   * arbitrary.
   */
  readonly targets: TargetValues;
  /** [count] 1 for a sample with a label, else 0; absent if all have one. */
  readonly labelled?: Uint8Array | undefined;
  /** Mean and deviation over train of each number to predict, in the label's units. */
  readonly scaling?: Scaling | undefined;
  readonly normalization: Normalization;
  /** Normalization of everything but the student, whose file scales raw samples itself; absent: `normalization`. */
  readonly usual?: Normalization | undefined;
  /** Pixels from an answer to the next one, in height and width, for a task with answers per pixel. */
  readonly stride?: number | undefined;
  /** Weight of each class in the loss, for a task with answers per pixel; absent: all weigh 1. */
  readonly pixelWeights?: Float32Array | undefined;
  /** Largest number of boxes of a picture, for a task with boxes. */
  readonly maxBoxes?: number | undefined;
  /** False for a task with boxes of which non-maximum suppression is not to choose. */
  readonly nms?: boolean | undefined;
  /** Form of an answer that is points. */
  readonly points?: PointsForm | undefined;
  /** Form of an answer that is a vector. */
  readonly vector?: VectorForm | undefined;
  /** Present for pictures that keep their proportions, with grey beside them. */
  readonly fit?: 'letterbox' | undefined;
  /** Sample rate of sounds, in values per second. */
  readonly rate?: number | undefined;
  /** Recordings that augmentation mixes into sounds, by folder. */
  readonly backgrounds?: Backgrounds | undefined;
  /** The encoded pictures behind `samples`, kept if a model reads them at another size. */
  readonly originals?: Originals | 'not kept' | undefined;
}

/** Recordings of a folder in sequence, at the rate of the data. */
export interface Background {
  /** On a SharedArrayBuffer, so that workers share it. */
  readonly values: Float32Array;
  /** Start of each recording in order, then the end of the last. */
  readonly starts: readonly number[];
}

/** Recordings by folder. */
export type Backgrounds = Readonly<Record<string, Background>>;

export interface EncodedImage {
  /** For messages, such as a path or `x.parquet: row 7`. */
  readonly where: string;
  /** A path, or the bytes of the file. */
  readonly input: string | Uint8Array;
}

/** Encoded pictures, indexed by the ids of samples. */
export interface Originals {
  readonly images: readonly EncodedImage[];
  /** Hash of the bytes of all pictures. */
  readonly hash: string;
}

/** Class indexes and tags, numbers, or masks: class indexes of pixels. */
export type TargetValues = Int32Array | Float32Array | Uint8Array;

/** Targets of the same type, all 0. */
export function targetsLike(targets: TargetValues, length: number): TargetValues {
  if (targets instanceof Uint8Array) return new Uint8Array(length);
  return targets instanceof Int32Array ? new Int32Array(length) : new Float32Array(length);
}

export interface Scaling {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Stable name of a sample, such as `train/1234`. */
export function sampleId(dataset: Pick<Dataset, 'idPrefix' | 'ids'>, row: number): string {
  return `${dataset.idPrefix}/${dataset.ids[row]!}`;
}

/** Number of positions of a sample [..., channels]. */
export function countOfPixels(sampleShape: readonly number[]): number {
  return countOfElements(sampleShape.slice(0, -1));
}

export function countOfElements(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

export function isImageShape(shape: readonly number[]): shape is readonly [number, number, number] {
  return shape.length === 3;
}

/** True for sounds: [values, 1]. */
export function isSoundShape(shape: readonly number[]): boolean {
  return shape.length === 2 && shape[1] === 1;
}

/** The samples in the form that the teacher reads. */
export function asTeacherSees(dataset: Dataset): Dataset {
  return dataset.forTeacher ?? dataset;
}

/** Hash of a data set, and the objects that it was computed from. */
interface Fingerprint {
  readonly parts: readonly unknown[];
  readonly digest: string;
}

/** Computed fingerprints by the ids of the data set: other objects may share the same samples, which are hashed once. */
const fingerprints = new WeakMap<Int32Array, readonly Fingerprint[]>();

/** Hash of everything that a teacher's answer depends on: the samples, their ids, order and normalization. */
export function fingerprint(dataset: Dataset): string {
  const known = knownFingerprint(dataset);
  if (known !== undefined) return known;
  const [head, ids, targets, ...rest] = fingerprintedParts(dataset);
  const hash = createHash('sha256').update(head);
  const add = (pieces: Iterable<Uint8Array>): void => {
    for (const piece of pieces) hash.update(piece);
  };
  for (const values of [ids, targets]) add(inPieces(bytesOf(values)));
  add(bytesOfSamples(dataset));
  for (const values of rest) add(inPieces(bytesOf(values)));
  const digest = hash.digest('hex');
  rememberFingerprint(dataset, digest);
  return digest;
}

/** All parts of the fingerprint except the samples. */
export function fingerprintedParts(
  dataset: Dataset,
): readonly [
  head: string,
  ids: Int32Array,
  targets: TargetValues,
  ...rest: (Uint8Array | Float32Array | Int32Array)[],
] {
  const { idPrefix, sampleShape, inputs, text, classNames, normalization, ids, targets, labelled, missing } = dataset;
  const type = areBytes(dataset) ? 'Uint8Array' : 'Float32Array';
  const originals = typeof dataset.originals === 'object' ? dataset.originals.hash : undefined;
  const added = Object.values(dataset.backgrounds ?? {});
  const noise = added.length === 0 ? undefined : added.map(({ starts }) => starts);
  const head = JSON.stringify({
    idPrefix,
    sampleShape,
    inputs,
    text,
    classNames,
    normalization,
    type,
    originals,
    noise,
  });
  const flags = [labelled, missing].filter((values) => values !== undefined);
  return [head, ids, targets, ...flags, ...added.map(({ values }) => values)];
}

export function rememberFingerprint(dataset: Dataset, digest: string): void {
  if (knownFingerprint(dataset) !== undefined) return;
  fingerprints.set(dataset.ids, [...(fingerprints.get(dataset.ids) ?? []), { parts: identifying(dataset), digest }]);
}

function knownFingerprint(dataset: Dataset): string | undefined {
  const parts = identifying(dataset);
  const isSame = (one: Fingerprint): boolean =>
    one.parts.length === parts.length && one.parts.every((part, i) => part === parts[i]);
  return fingerprints.get(dataset.ids)?.find(isSame)?.digest;
}

/** Parts that are compared by identity: the same object has the same numbers. */
function identifying(dataset: Dataset): readonly unknown[] {
  return [...fingerprintedParts(dataset), dataset.stored ?? dataset.samples];
}

export function sharedBytes(length: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length));
}

export function sharedFloats(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(length * 4));
}

/** Samples as float32 from the bytes of a file; without `type`, the bytes themselves, which are copied unless threads share them already. */
export function storedSamples(
  body: Uint8Array,
  count: number,
  type: { readonly bytes: number; readonly read: (view: DataView, at: number) => number } | undefined,
): Samples {
  if (type === undefined) {
    if (body.buffer instanceof SharedArrayBuffer) return body;
    const bytes = sharedBytes(body.length);
    bytes.set(body);
    return bytes;
  }
  const samples = sharedFloats(count);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  for (let i = 0; i < count; i++) samples[i] = type.read(view, i * type.bytes);
  return samples;
}

/** Result of a reader: a split as in its files, with labels that are not yet mapped to classes. */
export interface RawSplit extends HeldSamples {
  /** File or folder of the samples, for messages. */
  readonly source: string;
  readonly sampleShape: readonly number[];
  /** See `Dataset`. */
  readonly inputs?: readonly InputPart[] | undefined;
  readonly text?: TextForm | undefined;
  readonly labels: RawLabels;
  /** Starts of words, for samples that are tagged words. */
  readonly starts?: WordStarts | undefined;
  /** Largest number of boxes of a picture, for which there is place in `labels`. */
  readonly maxBoxes?: number | undefined;
  /** See `Dataset`. */
  readonly points?: PointsForm | undefined;
  /** See `Dataset`. */
  readonly fit?: 'letterbox' | undefined;
  /** Class names in the file itself. */
  readonly classNames?: readonly string[];
  /** Position of each sample in its files. Default: 0 … count - 1. */
  readonly ids?: Int32Array;
  /** Column names of a table. */
  readonly columns?: readonly string[];
  /** Words of categorical columns, whose values in `samples` are indexes. */
  readonly words?: readonly ColumnWords[] | undefined;
  /** Dates of columns that hold dates. */
  readonly dates?: readonly ColumnDates[] | undefined;
  /** Names of the label columns. */
  readonly labelNames?: readonly string[];
  /** Files of a table whose rows are cut into windows, with the first row of each. */
  readonly files?: readonly { readonly file: string; readonly firstRow: number }[] | undefined;
  /** [count] group of each window, an index of `names`: all windows of a group are in the same split. */
  readonly groups?: { readonly values: Int32Array; readonly names: readonly string[] } | undefined;
  /** Missing values of a table that are not dropped; absent without any. */
  readonly missing?: MissingValues | undefined;
  /** NaN in `samples` stands for a missing value, to be replaced by the column's mean over train. */
  readonly fillWithMean?: boolean;
  readonly originals?: Originals | 'not kept' | undefined;
  /** Warnings about the files, one sentence each. */
  readonly notes?: readonly string[];
}

/** Tokens that begin a word. */
interface WordStarts {
  /** [count, text.length] index in the sample of the word that begins with this token; -1 for other tokens. */
  readonly words: Int32Array;
  /** [count] number of words of each sample, including words without a token. */
  readonly counts: Int32Array;
}

export type RawLabels =
  | LabelWords
  /** Several label columns; `values` belong to the first. */
  | {
      readonly kind: 'columns';
      readonly names: readonly string[];
      readonly columns: readonly LabelWords[];
      readonly values: Int32Array;
    }
  /** [count, width] numbers as stored, NaN for no label; or bytes, the classes of pixels. */
  | {
      readonly kind: 'numbers';
      readonly values: Float32Array | Uint8Array;
      readonly width: number;
      /** File of each sample's mask, for messages. */
      readonly files?: readonly string[];
    }
  /** Class indexes as stored; -1 together with 0: no label. */
  | { readonly kind: 'index'; readonly values: Int32Array };

/**
 * `values` are indexes of `names`, which are in order of first appearance, or -1 for no label; `firstAt`: place of the first appearance, such as
 * `x.csv:7`.
 */
export interface LabelWords {
  readonly kind: 'name';
  readonly values: Int32Array;
  readonly names: readonly string[];
  readonly firstAt: readonly string[];
  /** Place of the first sample without a label, such as `x.csv:7`. */
  readonly noneAt?: string | undefined;
}
