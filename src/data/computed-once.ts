import { fstatSync } from 'node:fs';
import { bytesOf, sha256 } from '../base/bytes.ts';
import { machineName } from '../base/owner.ts';
import { fingerprint, fingerprintedParts, rememberFingerprint } from './dataset.ts';
import type { Dataset } from './dataset.ts';
import type { HeldSamples } from './held.ts';
import { textsOfAll } from './readers.ts';
import type { Readers } from './readers.ts';

/**
 * A text that is computed in one pass over samples. Where they are in a file, one of the processes of a machine that have the same file
 * passes over it, for all of them; samples in memory are each process' own. `beside`: what else the text depends on.
 */
export async function computedOnce(
  readers: Readers | undefined,
  held: HeldSamples,
  compute: () => string,
  beside = '',
): Promise<string> {
  if (readers === undefined) return compute();
  const { rank } = readers;
  const keys = textsOfAll(readers, (await keyOf(held, beside)) ?? `the memory of process ${rank}`);
  const first = keys.indexOf(keys[rank]!);
  const own = first === rank ? compute() : '';
  await readers.meet();
  const text = textsOfAll(readers, own)[first]!;
  if (first === rank) return own;
  // A text that is too long to be sent.
  return text === '' ? compute() : text;
}

/** Takes the fingerprint of a data set, which `fingerprint` then knows. */
export async function fingerprintOnce(readers: Readers, dataset: Dataset): Promise<void> {
  const parts = dataset.stored === undefined ? [] : fingerprintedParts(dataset);
  const beside = sha256(...parts.map((part) => (typeof part === 'string' ? part : bytesOf(part))));
  rememberFingerprint(dataset, await computedOnce(readers, dataset, () => fingerprint(dataset), beside));
}

/** Equal where the rows are the same ones of the same file: of one device and inode, size and time, of one machine. Undefined for samples in memory. */
async function keyOf({ stored }: HeldSamples, beside: string): Promise<string | undefined> {
  if (stored === undefined) return undefined;
  const { open, offset, type, rowSize, rows } = stored;
  const { dev, ino, size, mtimeNs } = fstatSync(open.descriptor, { bigint: true });
  const file = [await machineName(), dev, ino, size, mtimeNs, offset, type, rowSize, beside].join(' ');
  return sha256(file, bytesOf(rows));
}
