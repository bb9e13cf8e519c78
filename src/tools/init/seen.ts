import type { HubSplit } from '../../recipe/init.ts';
import type { DataTypeName } from '../../recipe/data-types.ts';

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

/** First rows of a table, by the names of its columns, or by index without names. */
export type TableRows = readonly Readonly<Record<string, unknown>>[];
