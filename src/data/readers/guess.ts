import { Slot } from '../../base/registry.ts';
import type { DataTypeName } from '../../recipe/data-types.ts';
import type { HubSplit } from '../../recipe/init.ts';
import { dataFormats } from './registry.ts';

/** Words for the validation split in names, the likeliest first. */
export const VALIDATION = ['val', 'valid', 'validation'];
/** Words for the other splits; a test split without annotations is passed over for that of validation. */
export const SPLIT_WORDS = { train: ['train', 'training'], test: ['test', 'testing', ...VALIDATION] };

/** Kind of data in a file or folder, judged by names only. */
export interface SeenData {
  readonly type: DataTypeName;
  /** Reason for the user, such as `speech holds 3,600 files .wav`. */
  readonly why: string;
  /** Notes for the user on possible misinterpretations. */
  readonly notes: readonly string[];
  /** Message about signs of masks or boxes in a layout that is not read; absent without any. */
  readonly unsupported?: string;
  /** Folders or lists of the splits, relative to the place, if it holds a whole data set. */
  readonly splits?: {
    readonly train: string;
    readonly test?: string;
    /** Absent where it is a part of train, or where it is the test split for want of another one. */
    readonly validation?: string;
    readonly unlabelled?: string;
    /** Files of labels beside `train`, `test` and `validation`. */
    readonly labels?: string;
    readonly testLabels?: string;
    readonly validationLabels?: string;
  };
  /** Splits of a data set of the hub, whose folder is named as a whole. */
  readonly within?: readonly HubSplit[];
  /** True for a folder whose files lie in no folders of classes. */
  readonly isFlat?: boolean;
  /** Test file beside a training file, in the same folder. */
  readonly testBeside?: string;
}

/** Layout of a type's data with boxes, as `limbeck init` recognizes it. */
export interface DataGuess {
  /** Data of the type in a folder, with their splits; `inside`: its names. Undefined if there are none in a layout that is read. */
  readonly inFolder: (place: string, inside: readonly string[]) => Promise<SeenData | undefined>;
  /** The same for annotations of key points in the format of the type. */
  readonly keyPoints?: (place: string, inside: readonly string[]) => Promise<SeenData | undefined>;
  /** For a type whose data a file describes. */
  readonly file?: {
    /** True for such a file, under any name. */
    readonly isOne: (file: string) => Promise<boolean>;
    /** Splits of such a file, relative to it. */
    readonly splits: (file: string) => Promise<SeenData['splits']>;
  };
  /** Message about a file of annotations that is no data by itself; undefined for other files. */
  readonly besideData?: (file: string) => Promise<string | undefined>;
}

/** Types whose data are recognized by their layout, in the order of features, the first of which counts. */
export const guesses = new Slot<DataGuess>(dataFormats, 'guess', 'layout that is recognized');

/** First samples of training data, which say how `limbeck init` has them read. */
interface FirstSamples {
  /** Files of pictures with boxes. */
  readonly withBoxes?: readonly string[];
  /** Files of pictures with points. */
  readonly withPoints?: readonly string[];
  /** Pictures as their files hold them. */
  readonly encoded?: readonly Uint8Array[];
  /** True for pictures in a type that may hold something else. */
  readonly arePictures?: boolean;
  readonly rows?: TableRows;
}

/** First rows of a table, by the names of its columns, or by index without names. */
export type TableRows = readonly Readonly<Record<string, unknown>>[];

/** First samples of a file or folder of a type of data; `most`: maximum number of rows of a table, and of encoded pictures. */
export type SampleStart = (
  place: string,
  most: { readonly rows: number; readonly encoded: number },
) => Promise<FirstSamples>;

export const starts = new Slot<SampleStart>(dataFormats, 'start', 'samples that are looked at');
