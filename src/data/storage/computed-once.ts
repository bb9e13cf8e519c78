import { fstatSync } from 'node:fs';
import { bytesOf, sha256 } from '../../base/bytes.ts';
import { machineName } from '../../base/owner.ts';
import { fingerprint, fingerprintedParts, rememberFingerprint } from '../dataset.ts';
import type { Dataset } from '../dataset.ts';
import type { HeldSamples } from './sample-storage.ts';
import { textsOfAll } from './shared-reading.ts';
import type { ReadingProcesses } from './shared-reading.ts';

/**
 * A text that is computed in one pass over the samples of splits. Where they are in files, one of the processes of a machine that have the same
 * files passes over them, for all of them; samples in memory are each process' own. `beside`: what else the text depends on, samples in memory
 * among it where others are in files.
 */
export async function computedOnce(
  readers: ReadingProcesses | undefined,
  held: readonly HeldSamples[],
  compute: () => string,
  beside = '',
): Promise<string> {
  if (readers === undefined) return compute();
  const { rank } = readers;
  const keys = textsOfAll(readers, (await keyOf(held, beside)) ?? `the memory of process ${rank}`);
  const first = keys.indexOf(keys[rank]!);
  const own = first === rank ? compute() : '';
  await readers.meet();
  return textsOfAll(readers, own)[first]!;
}

/** Takes the fingerprint of a data set, which `fingerprint` then knows. */
export async function fingerprintOnce(readers: ReadingProcesses, dataset: Dataset): Promise<void> {
  const parts = dataset.stored === undefined ? [] : fingerprintedParts(dataset);
  const beside = sha256(...parts.map((part) => (typeof part === 'string' ? part : bytesOf(part))));
  rememberFingerprint(dataset, await computedOnce(readers, [dataset], () => fingerprint(dataset), beside));
}

/**
 * Equal where the rows are the same ones of the same files: of one device and inode, size and time, of one machine. Undefined where all samples are
 * in memory.
 */
async function keyOf(held: readonly HeldSamples[], beside: string): Promise<string | undefined> {
  const parts = held.flatMap(({ stored }) => {
    if (stored === undefined) return [];
    const { open, offset, type, rowSize, rows } = stored;
    const { dev, ino, size, mtimeNs } = fstatSync(open.descriptor, { bigint: true });
    return [[dev, ino, size, mtimeNs, offset, type, rowSize, rows.length].join(' '), bytesOf(rows)];
  });
  return parts.length === 0 ? undefined : sha256(await machineName(), beside, ...parts);
}
