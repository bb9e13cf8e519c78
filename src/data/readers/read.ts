import { UserError } from '../../base/errors.ts';
import type { CommonConfig, DatasetConfig } from '../config.ts';
import type { RawSplit } from '../dataset.ts';
import { noLabels } from './labelled.ts';
import type { PicturesGiven } from '../pictures/images.ts';
import { atOnce, readOnce } from '../storage/read-once.ts';
import type { SplitSource } from '../storage/read-once.ts';
import { textsOfAll } from '../storage/shared-reading.ts';
import type { ReadingProcesses } from '../storage/shared-reading.ts';
import { Room } from '../storage/memory-budget.ts';
import { openText } from '../text/open.ts';
import type { OpenText } from '../text/open.ts';

type Part = 'train' | 'validation' | 'test';

/**
 * Called with the texts of each sample, which are not kept; `id`: the name from `sampleId`. Not called for samples under `unlabelled`. For lists of
 * words, `texts` are the words with a tag, and `all` includes words that are cut off or have no token.
 */
export type OnText = (id: string, texts: readonly string[], all: readonly string[]) => void;

/** Reads all splits; of several errors, train's is thrown, whichever occurs first. */
export async function readSplits(
  config: DatasetConfig,
  onText?: OnText,
  given: PicturesGiven = { room: new Room() },
): Promise<[RawSplit, ...(RawSplit | undefined)[]]> {
  const parts = ['train', 'validation', 'test', 'unlabelled'] as const;
  const stated = 'text' in config ? config.text : undefined;
  const named = config.type === 'text-folder' ? (stated ?? {}) : stated;
  const text = named && (await openText(named));
  const textOf = (part: Part | 'unlabelled'): OpenText | undefined => {
    if (text === undefined || onText === undefined || part === 'unlabelled') return text;
    return { ...text, onText: (row, texts, all) => onText(`${part}/${row}`, texts, all) };
  };
  const { readers, room } = given;
  const read = (part: Part | 'unlabelled') => readSplit(config, part, textOf(part), given);
  const once = async (by: ReadingProcesses): Promise<readonly (RawSplit | undefined)[]> => {
    const sources = parts.map((part) => sourcesOf(config, part, text));
    // A process that reads a split alone must not wait for others in decoding: a split of pictures beside a table is refused later.
    const alone = (split: number) =>
      readSplit(config, parts[split]!, textOf(parts[split]!), { ...given, readers: undefined });
    const { splits, remove } = await readOnce(by, sources, alone, room);
    await remove();
    return splits;
  };
  const how = readers && (await sharingOf(config, readers));
  const splits =
    how === 'decoded'
      ? await inOrder(parts, read)
      : readers !== undefined && how === 'parsed' && onText === undefined
        ? await once(readers)
        : await atOnce(parts, read);
  return [splits[0]!, ...splits.slice(1)];
}

/** Types that take long to parse: one process of a machine parses for the others. */
const PARSED: ReadonlySet<DatasetConfig['type']> = new Set(['csv', 'jsonl', 'conll', 'text-folder', 'audio-folder']);

/** Work that processes share: all decode pictures; tables, texts and sounds are parsed by one process of a machine. */
async function sharingOf(config: DatasetConfig, readers: ReadingProcesses): Promise<'decoded' | 'parsed' | undefined> {
  if (config.type === 'image-folder') return 'decoded';
  if (config.type !== 'parquet') return PARSED.has(config.type) ? 'parsed' : undefined;
  const { holdsPictures } = await import('./parquet/parquet.ts');
  // A file that cannot be opened is reported by its reader.
  const ownAnswer = await holdsPictures(config.train, config).then(String, () => '');
  const all = textsOfAll(readers, ownAnswer);
  const other = all.findIndex((one) => one !== '' && all[0] !== '' && one !== all[0]);
  if (other === -1) return all.every((one) => one === 'false') ? 'parsed' : 'decoded';
  const [of, first] = [all[other]!, all[0]!].map((one) => (one === 'true' ? 'pictures' : 'a table'));
  throw new UserError(
    `train: process ${other} of ${readers.size} finds ${of!} in it, and process 0 ${first!}`,
    'Give all processes the same files: on several machines, by a shared folder or equal copies.',
  );
}

/** Files of a split; undefined for a split that the recipe does not have. */
function sourcesOf(
  config: DatasetConfig,
  part: Part | 'unlabelled',
  text: OpenText | undefined,
): SplitSource | undefined {
  const source = config[part];
  if (source === undefined || typeof source === 'number') return undefined;
  return { files: [source].flat() as string[], by: JSON.stringify([part, text?.form ?? null]) };
}

/** Processes that decode together must read the splits in the same order. */
async function inOrder<P, T>(parts: readonly P[], read: (part: P) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (const part of parts) results.push(await read(part));
  return results;
}

/** Readers are loaded on demand: sharp would cost every other run 50 ms. */
export async function readSplit(
  config: DatasetConfig,
  part: Part | 'unlabelled',
  text?: OpenText,
  given: PicturesGiven = {},
): Promise<RawSplit | undefined> {
  const { room } = given;
  if (config[part] === undefined || typeof config[part] === 'number') return undefined;
  const withoutLabels = part === 'unlabelled' || config.labelled === 0;
  const from = part === 'unlabelled' ? 'train' : part;
  const withoutRead = (raw: RawSplit): RawSplit =>
    withoutLabels ? { ...raw, labels: noLabels(raw.labels.values.length) } : raw;
  switch (config.type) {
    case 'idx':
      return (await import('./idx.ts')).readIdx(pairOf(sourceOf(config, part), part, withoutLabels), room);
    case 'csv':
      return (await import('./csv.ts')).readCsv(sourceOf(config, part), { ...config, text, withoutLabels, room });
    case 'cifar10':
      return withoutRead(await (await import('./cifar.ts')).readCifar(sourceOf(config, part), 'cifar10', from, room));
    case 'cifar100':
      return withoutRead(
        await (await import('./cifar.ts')).readCifar(sourceOf(config, part), config.labels ?? 'fine', from, room),
      );
    case 'image-folder': {
      const { readImageFolder, readPictures } = await import('./image-folder.ts');
      return (withoutLabels ? readPictures : readImageFolder)(sourceOf(config, part), config, given);
    }
    case 'audio-folder':
      return (await import('./audio-folder.ts')).readAudioFolder(sourceOf(config, part), {
        ...config,
        withoutLabels,
        room,
      });
    case 'text-folder':
      return (await import('./text-folder.ts')).readTextFolder(sourceOf(config, part), text!, {
        ...config,
        withoutLabels,
        room,
      });
    case 'npz':
      return (await import('./numpy/npz.ts')).readNpz(pairOf(sourceOf(config, part), part, withoutLabels), {
        ...config,
        withoutLabels,
        room,
      });
    case 'parquet':
      return (await import('./parquet/parquet.ts')).readParquet(sourceOf(config, part), {
        ...config,
        text,
        withoutLabels,
        ...given,
      });
    case 'conll':
      return (await import('./conll.ts')).readConll(sourceOf(config, part), { ...config, text, room });
    case 'jsonl':
      return (await import('./jsonl.ts')).readJsonl(sourceOf(config, part), { ...config, text, withoutLabels, room });
  }
}

function sourceOf<S>(config: CommonConfig<S>, part: Part | 'unlabelled'): S {
  return config[part] as S;
}

/** Files of samples and labels; without labels, of samples only. */
function pairOf<S extends object>(source: S, part: Part | 'unlabelled', withoutLabels: boolean): S {
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
