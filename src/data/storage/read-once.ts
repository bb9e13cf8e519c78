import { rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../../base/bytes.ts';
import { machineName } from '../../base/process/owner.ts';
import { temporaryFolder } from '../../base/folders/temporary.ts';
import type { TemporaryFolder } from '../../base/folders/temporary.ts';
import type { RawSplit } from '../dataset.ts';
import { handOver, takeOver } from './split-file.ts';
import { textsOfAll } from './shared-reading.ts';
import type { ReadingProcesses } from './shared-reading.ts';
import type { Room } from './memory-budget.ts';

/** Files or folders of a split, and the options that the result depends on. */
export interface SplitSource {
  readonly files: readonly string[];
  readonly by: string;
}

interface ReadOnce {
  readonly splits: readonly (RawSplit | undefined)[];
  /** Removes the files that this process has written for others, after all have read them. */
  readonly remove: () => Promise<void>;
}

/**
 * Reads splits that take long to parse. Of the processes of a machine with the same files, one parses each split and the others take over the result.
 * Files are the same if device and inode, size and time agree. A process with other files, or without access to the result, parses the split itself.
 * An entry of `sources` is undefined for a split that the data lack; `read` gets its index.
 */
export async function readOnce(
  readers: ReadingProcesses,
  sources: readonly (SplitSource | undefined)[],
  read: (split: number) => Promise<RawSplit | undefined>,
  room?: Room,
): Promise<ReadOnce> {
  const { rank } = readers;
  const identities = textsOfAll(readers, (await Promise.all(sources.map(identityOf))).join(' '));
  const ofAll = identities.map((text) => text.split(' '));
  const turns = sources.map((_, split) => {
    const same = ofAll.flatMap((of, other) => (of[split] === ofAll[rank]![split] ? [other] : []));
    return { reader: same[split % same.length]!, isShared: same.length > 1 };
  });
  const splits = await atOnce(turns, ({ reader }, split) =>
    reader === rank ? read(split) : Promise.resolve(undefined),
  );
  const written: string[] = [];
  for (const [split, { reader, isShared }] of turns.entries()) {
    const ownSplit = splits[split];
    if (reader !== rank || !isShared || ownSplit === undefined) continue;
    const file = path.join((await place()).path, nameOf(rank, split));
    if (await handOver(file, ownSplit)) written.push(file);
  }
  await readers.meet();
  const places = textsOfAll(readers, written.length === 0 ? '' : (await place()).path);
  for (const [split, { reader }] of turns.entries()) {
    if (reader === rank || sources[split] === undefined) continue;
    const from = places[reader]!;
    const handedOver = from === '' ? undefined : await takeOver(path.join(from, nameOf(reader, split)), room);
    splits[split] = handedOver ?? (await read(split));
  }
  // Wait until all processes have taken over their splits.
  await readers.meet();
  const remove = async (): Promise<void> => {
    for (const file of written) await rm(file, { force: true });
  };
  return { splits, remove };
}

/** Results of all parts; of several errors, the first part's is thrown, whichever occurs first. */
export async function atOnce<P, T>(parts: readonly P[], read: (part: P, at: number) => Promise<T>): Promise<T[]> {
  const results = await Promise.allSettled(parts.map(read));
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

let folder: Promise<TemporaryFolder> | undefined;

/** Temporary folder for splits that this process hands over. */
async function place(): Promise<TemporaryFolder> {
  return (folder ??= temporaryFolder('split-'));
}

function nameOf(rank: number, split: number): string {
  return `${rank}-${split}`;
}

/** A text that is equal for the same files on the same machine, read in the same way. Missing files are reported by their reader. */
async function identityOf(source: SplitSource | undefined): Promise<string> {
  if (source === undefined) return 'none';
  const stats = source.files.map(async (file) => {
    const { dev, ino, size, mtimeNs } = await stat(file, { bigint: true });
    return [dev, ino, size, mtimeNs].join(':');
  });
  const found = await Promise.all(stats).catch(() => source.files);
  return sha256(JSON.stringify([await machineName(), source.by, ...found]));
}
