import { stat } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../../base/errors.ts';
import { asUserError, readText } from '../../../base/files.ts';
import type { DataFiles } from '../../config.ts';
import { sharedBytes } from '../../dataset.ts';
import type { RawSplit } from '../../dataset.ts';
import type { Room } from '../../storage/memory-budget.ts';
import { fileList, readUnpacked } from '../../readers/source.ts';
import type { DatasetConfig } from '../../config.ts';
import { noLabels } from '../../readers/labelled.ts';
import type { LabelsRead } from '../../readers/labelled.ts';
import type { Reading, SplitReader } from '../../readers/registry.ts';

/** Record format: label bytes, then 1024 red, 1024 green, 1024 blue values (cs.toronto.edu/~kriz/cifar.html). */
interface Variant {
  readonly labelBytes: number;
  readonly labelAt: number;
  readonly classes: number;
  readonly train: readonly string[];
  readonly test: readonly string[];
  readonly namesFile: string;
  readonly names?: readonly string[];
}

const PIXELS = 32 * 32;

const CIFAR10_NAMES = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];

const CIFAR100 = { labelBytes: 2, train: ['train.bin'], test: ['test.bin'] };

const VARIANTS: Readonly<Record<'cifar10' | 'fine' | 'coarse', Variant>> = {
  cifar10: {
    labelBytes: 1,
    labelAt: 0,
    classes: 10,
    train: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`),
    test: ['test_batch.bin'],
    namesFile: 'batches.meta.txt',
    names: CIFAR10_NAMES,
  },
  coarse: { ...CIFAR100, labelAt: 0, classes: 20, namesFile: 'coarse_label_names.txt' },
  fine: { ...CIFAR100, labelAt: 1, classes: 100, namesFile: 'fine_label_names.txt' },
};

/** Reads CIFAR's binary version: `files` are the `.bin` files, or the folder of the archive with its standard names. */
export async function readCifar(
  files: DataFiles,
  variant: 'cifar10' | 'fine' | 'coarse',
  split: 'train' | 'validation' | 'test',
  room?: Room,
): Promise<RawSplit> {
  const layout = VARIANTS[variant];
  const list = (
    await Promise.all(fileList(files).map((file) => inFolder(file, split === 'test' ? layout.test : layout.train)))
  ).flat();
  const parts: Uint8Array[] = [];
  for (const file of list) parts.push(await readRecords(file, layout, variant));
  const record = layout.labelBytes + 3 * PIXELS;
  const count = parts.reduce((sum, part) => sum + part.length / record, 0);
  room?.demand(
    count * 3 * PIXELS,
    `${list[0]!}: ${count} pictures of 32x32`,
    'Use fewer of the files, or free memory.',
  );
  const samples = sharedBytes(count * 3 * PIXELS);
  const labels = new Int32Array(count);
  let row = 0;
  parts.forEach((part, i) => {
    for (let at = 0; at < part.length; at += record, row++) {
      const label = part[at + layout.labelAt]!;
      if (label >= layout.classes) {
        throw new UserError(
          `${list[i]!}: sample ${at / record}: label ${label} is out of range, expected 0 to ${layout.classes - 1}`,
          'The file is damaged or of another kind (cifar10 or cifar100); get it again or change `type`.',
        );
      }
      labels[row] = label;
      interleave(part, at + layout.labelBytes, samples, row * 3 * PIXELS);
    }
  });
  return {
    source: list[0]!,
    sampleShape: [32, 32, 3],
    samples,
    labels: { kind: 'index', values: labels },
    classNames: await namesBeside(list[0]!, layout),
  };
}

async function inFolder(file: string, names: readonly string[]): Promise<string[]> {
  try {
    return (await stat(file)).isDirectory() ? names.map((name) => path.join(file, name)) : [file];
  } catch (error) {
    throw asUserError(error, file, 'read');
  }
}

async function readRecords(file: string, { labelBytes }: Variant, variant: string): Promise<Uint8Array> {
  const bytes = await readUnpacked(file);
  const record = labelBytes + 3 * PIXELS;
  if (bytes.length % record !== 0) {
    const other = bytes.length % (record + (variant === 'cifar10' ? 1 : -1)) === 0;
    throw new UserError(
      `${file}: ${bytes.length} bytes are no whole number of records of ${record} bytes`,
      other
        ? `This looks like the other kind: set \`type: ${variant === 'cifar10' ? 'cifar100' : 'cifar10'}\`.`
        : 'The file is truncated, or not of the "binary version"; get it again.',
    );
  }
  return bytes;
}

/** Converts an image from colour planes to interleaved pixels. */
function interleave(source: Uint8Array, from: number, target: Uint8Array, to: number): void {
  for (let i = 0; i < PIXELS; i++) {
    target[to + 3 * i] = source[from + i]!;
    target[to + 3 * i + 1] = source[from + PIXELS + i]!;
    target[to + 3 * i + 2] = source[from + 2 * PIXELS + i]!;
  }
}

async function namesBeside(file: string, { namesFile, names, classes }: Variant): Promise<readonly string[]> {
  const text = await readText(path.join(path.dirname(file), namesFile)).catch(() => '');
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  return lines.length === classes ? lines : (names ?? Array.from({ length: classes }, (_, i) => String(i)));
}

export const reader: SplitReader<Extract<DatasetConfig, { type: 'cifar10' | 'cifar100' }>> = {
  read: async (source, options) => {
    const variant =
      options.type === 'cifar10' ? 'cifar10' : ((options as { readonly labels?: 'fine' | 'coarse' }).labels ?? 'fine');
    return withoutRead(await readCifar(source, variant, filesOf(options), options.room), options);
  },
};

/** The split without its labels, if they are not to be read. */
function withoutRead(raw: RawSplit, { withoutLabels }: LabelsRead): RawSplit {
  return withoutLabels === true ? { ...raw, labels: noLabels(raw.labels.values.length) } : raw;
}

/** Split whose file names a folder of CIFAR is searched for. */
function filesOf({ part }: Reading): 'train' | 'validation' | 'test' {
  return part === 'unlabelled' ? 'train' : part;
}
