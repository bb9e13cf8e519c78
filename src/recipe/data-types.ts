/** What is true of a type of data, besides its keys in `schema/dataset.ts`. */
interface DataType {
  /** Content of a sample, where its keys do not tell: `limbeck init` chooses the architectures by it. */
  readonly holds: 'table' | 'picture' | 'masks' | 'boxes' | 'sound' | 'text' | 'words';
  /** Endings of its files: of the file itself, or of the files in its folder. */
  readonly endings: readonly string[];
  readonly isFolder?: true;
  /** True if a sample may be a list of words. */
  readonly canHoldWords?: true;
  /** Key of the file of samples, if labels may have a file of their own. */
  readonly besideLabels?: 'images' | 'samples';
}

export const DATA_TYPES = {
  idx: { holds: 'picture', endings: ['.idx'], besideLabels: 'images' },
  csv: { holds: 'table', endings: ['.csv', '.tsv'] },
  cifar10: { holds: 'picture', endings: [] },
  cifar100: { holds: 'picture', endings: [] },
  'image-folder': { holds: 'picture', endings: ['.png', '.jpg', '.jpeg', '.webp'], isFolder: true },
  'mask-folder': { holds: 'masks', endings: [], isFolder: true },
  coco: { holds: 'boxes', endings: [], besideLabels: 'images' },
  yolo: { holds: 'boxes', endings: ['.yaml', '.yml'] },
  points: { holds: 'picture', endings: [], besideLabels: 'images' },
  voc: { holds: 'boxes', endings: [] },
  'audio-folder': { holds: 'sound', endings: ['.wav', '.wave'], isFolder: true },
  'micro-features': { holds: 'table', endings: [], isFolder: true },
  'text-folder': { holds: 'text', endings: ['.txt'], isFolder: true },
  npz: { holds: 'picture', endings: ['.npz', '.npy'], besideLabels: 'samples' },
  parquet: { holds: 'table', endings: ['.parquet'], canHoldWords: true },
  webdataset: { holds: 'picture', endings: ['.tar'] },
  jsonl: { holds: 'table', endings: ['.jsonl', '.ndjson', '.json'], canHoldWords: true },
  conll: { holds: 'words', endings: ['.conll', '.conllu', '.iob', '.iob2', '.bio'], canHoldWords: true },
} as const satisfies Readonly<Record<string, DataType>>;

export type DataTypeName = keyof typeof DATA_TYPES;

/** Facts of a type. Of a name that is no type, which the schema of recipes refuses, those of files of any content. */
export function dataType(name: string): DataType {
  return Object.hasOwn(DATA_TYPES, name) ? DATA_TYPES[name as DataTypeName] : { holds: 'picture', endings: [] };
}

/** True if the samples are texts or lists of words. */
export function isOfTexts(dataset: { readonly type: string; readonly text?: unknown }): boolean {
  return dataset.text !== undefined || dataType(dataset.type).holds === 'text';
}
