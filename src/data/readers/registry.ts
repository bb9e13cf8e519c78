import { UserError } from '../../base/errors.ts';
import type { DataTypeName } from '../../recipe/data-types.ts';
import { taskRow } from '../../recipe/task.ts';
import type { DatasetConfig } from '../config.ts';
import type { RawSplit } from '../dataset.ts';
import type { PicturesGiven } from '../pictures/images.ts';
import type { ReadingProcesses, SharedWork } from '../storage/shared-reading.ts';
import type { OpenText } from '../text/open.ts';
import { noLabels } from './labelled.ts';
import type { LabelsRead } from './labelled.ts';

export type Part = 'train' | 'validation' | 'test' | 'unlabelled';

interface Reading extends PicturesGiven, LabelsRead {
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

/** The reader of each type. Its file is loaded on demand: sharp would cost every other run 50 ms. */
export const READERS: { readonly [Type in DataTypeName]: SplitReader<Extract<DatasetConfig, { type: Type }>> } = {
  idx: {
    read: async (source, options) =>
      (await import('./idx.ts')).readIdx(requireLabelFile(source, options), options.room),
  },
  csv: { shares: 'parsed', read: async (source, options) => (await import('./csv.ts')).readCsv(source, options) },
  cifar10: {
    read: async (source, options) =>
      withoutRead(
        await (await import('./cifar.ts')).readCifar(source, 'cifar10', filesOf(options), options.room),
        options,
      ),
  },
  cifar100: {
    read: async (source, options) => {
      const { labels = 'fine', room } = options;
      return withoutRead(await (await import('./cifar.ts')).readCifar(source, labels, filesOf(options), room), options);
    },
  },
  'image-folder': {
    shares: 'decoded',
    read: async (source, options) => {
      const { readImageFolder, readPictures } = await import('./image-folder.ts');
      return (options.withoutLabels === true ? readPictures : readImageFolder)(source, options, options);
    },
  },
  'mask-folder': {
    shares: 'decoded',
    read: async (source, options) => (await import('./mask-folder.ts')).readMaskFolder(source, options, options),
  },
  coco: {
    shares: 'decoded',
    read: async (source, options) => {
      const files = requireLabelFile(source, options);
      if (taskRow(options.task).answersPer === 'pixel')
        return (await import('./coco-masks.ts')).readCocoMasks(files, options, options);
      return (await import('./boxes/coco.ts')).readCoco(files, options, options);
    },
  },
  yolo: {
    shares: 'decoded',
    read: async (source, options) => (await import('./boxes/yolo.ts')).readYolo(source, options, options),
  },
  voc: {
    shares: 'decoded',
    read: async (source, options) => (await import('./boxes/voc.ts')).readVoc(source, options, options),
  },
  'audio-folder': {
    shares: 'parsed',
    read: async (source, options) => (await import('./audio-folder.ts')).readAudioFolder(source, options),
  },
  'text-folder': {
    shares: 'parsed',
    read: async (source, options) => (await import('./text-folder.ts')).readTextFolder(source, options.text!, options),
  },
  npz: {
    read: async (source, options) =>
      (await import('./numpy/npz.ts')).readNpz(requireLabelFile(source, options), options),
  },
  parquet: {
    shares: async (config, readers) => (await import('./parquet/parquet.ts')).workOn(config, readers),
    read: async (source, options) => (await import('./parquet/parquet.ts')).readParquet(source, options),
  },
  webdataset: {
    shares: 'decoded',
    read: async (source, options) => (await import('./webdataset.ts')).readWebDataset(source, options),
  },
  jsonl: { shares: 'parsed', read: async (source, options) => (await import('./jsonl.ts')).readJsonl(source, options) },
  conll: { shares: 'parsed', read: async (source, options) => (await import('./conll.ts')).readConll(source, options) },
};

/** The split without its labels, if they are not to be read. */
function withoutRead(raw: RawSplit, { withoutLabels }: LabelsRead): RawSplit {
  return withoutLabels === true ? { ...raw, labels: noLabels(raw.labels.values.length) } : raw;
}

/** Split whose file names a folder of CIFAR is searched for. */
function filesOf({ part }: Reading): 'train' | 'validation' | 'test' {
  return part === 'unlabelled' ? 'train' : part;
}

/** The source itself; `UserError` if it lacks a file of labels that is read, or has one that is not. */
function requireLabelFile<S extends object>(source: S, { part, withoutLabels = false }: Reading): S {
  const { labels } = source as { labels?: string };
  if (withoutLabels && labels !== undefined)
    throw new UserError(
      `${part}.labels: not read ${part === 'unlabelled' ? 'of samples without labels' : 'with `labelled: 0`'}, received ${labels}`,
      'Leave it out.',
    );
  if (withoutLabels || labels !== undefined || 'file' in source) return source;
  throw new UserError(
    `${part}.labels: expected a file of labels, received none`,
    'Name it; samples without labels stand under `unlabelled`, and with `labelled: 0` no split needs labels.',
  );
}
