import { Registry, Slot } from '../../base/registry.ts';
import type { DataTypeName } from '../../recipe/data-types.ts';
import type { DatasetConfig } from '../config.ts';
import type { RawSplit } from '../dataset.ts';
import type { PicturesGiven } from '../pictures/images.ts';
import type { ReadingProcesses, SharedWork } from '../storage/shared-reading.ts';
import type { OpenText } from '../text/open.ts';
import type { LabelsRead } from './labelled.ts';

export type Part = 'train' | 'validation' | 'test' | 'unlabelled';

export interface Reading extends PicturesGiven, LabelsRead {
  readonly part: Part;
  readonly text?: OpenText | undefined;
}

/** Reader of a type of data. */
export interface SplitReader<Config extends Pick<DatasetConfig, 'train'>> {
  /** Absent: each process reads by itself. */
  readonly shares?: SharedWork | ((config: Config, readers: ReadingProcesses) => Promise<SharedWork>);
  /** Reads the files of a split. `UserError` for broken files, with file and place. */
  readonly read: (source: Config['train'], options: Omit<Config, 'train' | 'text'> & Reading) => Promise<RawSplit>;
}

/** Types of data that recipes name. */
export const dataFormats = new Registry<{ readonly name: DataTypeName }>('type of data');

/** The reader of each type, loaded on demand: sharp would cost every other run 50 ms. */
export const readers = new Slot<SplitReader<DatasetConfig>>(dataFormats, 'reader', 'reader');
