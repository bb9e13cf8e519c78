import { fstatSync } from 'node:fs';
import { bytesOf, sha256 } from '../../base/bytes.ts';
import { machineName } from '../../base/process/owner.ts';
import { fingerprint, fingerprintedParts, rememberFingerprint } from '../dataset.ts';
import type { Dataset } from '../dataset.ts';
import type { HeldSamples } from './sample-storage.ts';
import { textsOfAll } from './shared-reading.ts';
import type { ReadingProcesses } from './shared-reading.ts';

/**
 * Returns a text that takes one pass over samples to compute. If the samples are in files, one process of each machine with the same files computes
 * it for all; samples in memory belong to each process. `beside`: what the text depends on besides samples in files.
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
  const ownResult = first === rank ? compute() : '';
  await readers.meet();
  return textsOfAll(readers, ownResult)[first]!;
}

/** Computes the fingerprint of a data set, which `fingerprint` then returns. */
export async function fingerprintOnce(readers: ReadingProcesses, dataset: Dataset): Promise<void> {
  const parts = dataset.stored === undefined ? [] : fingerprintedParts(dataset);
  const beside = sha256(...parts.map((part) => (typeof part === 'string' ? part : bytesOf(part))));
  rememberFingerprint(dataset, await computedOnce(readers, [dataset], () => fingerprint(dataset), beside));
}

/** Key that is equal for the same rows of the same files: device and inode, size and time, on one machine. Undefined if all samples are in memory. */
async function keyOf(held: readonly HeldSamples[], beside: string): Promise<string | undefined> {
  const parts = held.flatMap(({ stored }) => {
    if (stored === undefined) return [];
    const { open, offset, type, rowSize, rows } = stored;
    const { dev, ino, size, mtimeNs } = fstatSync(open.descriptor, { bigint: true });
    return [[dev, ino, size, mtimeNs, offset, type, rowSize, rows.length].join(' '), bytesOf(rows)];
  });
  return parts.length === 0 ? undefined : sha256(await machineName(), beside, ...parts);
}
