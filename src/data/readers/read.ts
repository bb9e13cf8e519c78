import { isOfTexts } from '../../recipe/data-types.ts';
import { taskRow } from '../../recipe/task.ts';
import type { DatasetConfig } from '../config.ts';
import type { RawSplit } from '../dataset.ts';
import type { PicturesGiven } from '../pictures/images.ts';
import { atOnce, readOnce } from '../storage/read-once.ts';
import type { SplitSource } from '../storage/read-once.ts';
import type { ReadingProcesses } from '../storage/shared-reading.ts';
import { Room } from '../storage/memory-budget.ts';
import type { OpenText } from '../text/open.ts';
import { readers as readersOf } from './registry.ts';
import type { Part } from './registry.ts';

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
  const text = isOfTexts({ ...config, text: stated })
    ? await (await import('../text/open.ts')).openText(stated ?? {}, taskRow(config.task).isOfPairs)
    : undefined;
  const textOf = (part: Part): OpenText | undefined => {
    if (text === undefined || onText === undefined || part === 'unlabelled') return text;
    return { ...text, onText: (row, texts, all) => onText(`${part}/${row}`, texts, all) };
  };
  const { readers, room } = given;
  const read = (part: Part) => readSplit(config, part, textOf(part), given);
  const once = async (by: ReadingProcesses): Promise<readonly (RawSplit | undefined)[]> => {
    const sources = parts.map((part) => sourcesOf(config, part, text));
    // A process that reads a split alone must not wait for others in decoding: a split of pictures beside a table is refused later.
    const alone = (split: number) =>
      readSplit(config, parts[split]!, textOf(parts[split]!), { ...given, readers: undefined });
    const { splits, remove } = await readOnce(by, sources, alone, room);
    await remove();
    return splits;
  };
  const { shares } = await readersOf.load(config.type);
  const how = readers && (typeof shares === 'function' ? await shares(config, readers) : shares);
  const splits =
    how === 'decoded'
      ? await inOrder(parts, read)
      : readers !== undefined && how === 'parsed' && onText === undefined
        ? await once(readers)
        : await atOnce(parts, read);
  return [splits[0]!, ...splits.slice(1)];
}

/** Files of a split; undefined for a split that the recipe does not have. */
function sourcesOf(config: DatasetConfig, part: Part, text: OpenText | undefined): SplitSource | undefined {
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

/** Reads a split; undefined for a split that the recipe does not have. */
export async function readSplit(
  config: DatasetConfig,
  part: Part,
  text?: OpenText,
  given: PicturesGiven = {},
): Promise<RawSplit | undefined> {
  const source = config[part];
  if (source === undefined || typeof source === 'number') return undefined;
  const withoutLabels = part === 'unlabelled' || config.labelled === 0;
  const window = 'window' in config ? config.window : undefined;
  const windows = window && (await import('./windows.ts'));
  windows?.refuseBeside(config);
  const { read } = await readersOf.load(config.type);
  const raw = await read(source, { ...config, text, withoutLabels, part, ...given });
  return window === undefined || windows === undefined
    ? raw
    : windows.cutIntoWindows(raw, { window, task: config.task, ...given });
}
