import { bytesOf, sha256 } from '../base/bytes.ts';
import { fingerprint } from '../data/dataset.ts';
import type { Dataset } from '../data/dataset.ts';
import type { LoadedDataset } from '../data/load.ts';
import type { Safetensors } from '../formats/safetensors.ts';

/** Fingerprints of the splits, including the samples as a teacher reads them. */
export function splitsOf(data: LoadedDataset): string {
  return splitsIn(data).map(fingerprint).join();
}

/** The splits, and the samples of each as a teacher reads them. */
export function splitsIn({ train, validation, test }: LoadedDataset): Dataset[] {
  const splits = [train, validation, ...(test === undefined ? [] : [test])];
  return splits.flatMap((split) => (split.forTeacher === undefined ? [split] : [split, split.forTeacher]));
}

/** Hash of the tensors of a saved state; its times differ between processes. */
export function hashOfState(saved: Safetensors | undefined): string {
  return hashOf(saved?.tensors ?? []);
}

/** Hash of tensors and their names. */
export function hashOf(tensors: Iterable<readonly [string, { readonly data: ArrayBufferView }]>): string {
  return sha256(...[...tensors].flatMap(([name, { data }]) => [name, bytesOf(data)]));
}
