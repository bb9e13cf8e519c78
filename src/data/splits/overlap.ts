import { bytesOf, sha256 } from '../../base/bytes.ts';
import { computedOnce } from '../storage/computed-once.ts';
import type { Samples } from '../dataset.ts';
import { areBytes, blocksOf } from '../storage/sample-storage.ts';
import type { HeldSamples } from '../storage/sample-storage.ts';
import type { ReadingProcesses } from '../storage/shared-reading.ts';

/** A split to compare with others. */
interface Compared extends HeldSamples {
  readonly name: string;
  /** Number of elements of a sample. */
  readonly rowSize: number;
  readonly ids: Int32Array;
}

/** Minimum share of a split's samples in another split for a warning. */
const LEAST = 0.01;

/**
 * Warnings for splits that share samples, value for value, with a split before: a score on samples that the model was trained or chosen by says
 * little about new samples. `splits`: train, validation and test. Samples in files are read by one process of each machine.
 */
export async function overlaps(splits: readonly Compared[], readers?: ReadingProcesses): Promise<string[]> {
  const inMemory = splits.map((split) => (split.stored === undefined ? keysOf(split) : undefined));
  const beside = sha256(...inMemory.flatMap((keys) => (keys === undefined ? [] : [bytesOf(keys)])));
  const found = (): string[] =>
    between(
      splits,
      splits.map((split, i) => inMemory[i] ?? keysOf(split)),
    );
  if (readers === undefined) return found();
  return JSON.parse(await computedOnce(readers, splits, () => JSON.stringify(found()), beside)) as string[];
}

function between(splits: readonly Compared[], keys: readonly Float64Array[]): string[] {
  return splits.flatMap((split, i) =>
    splits.slice(0, i).flatMap((before, j) => {
      const { length: count } = split.ids;
      const same = sameSamples(keys[i]!, keys[j]!);
      if (same === 0 || same < LEAST * count) return [];
      return [
        `${split.name}: ${same} of ${count} samples have the values of a sample of ${before.name}; a score on them says little about new samples`,
      ];
    }),
  );
}

/** Number of samples of a split that also occur in another, by their keys. */
function sameSamples(own: Float64Array, before: Float64Array): number {
  const others = new Set(before);
  return own.reduce((same, key) => same + Number(others.has(key)), 0);
}

/** A 53-bit key for each sample, from two 32-bit hashes (Appleby 2011, MurmurHash3). Equal samples have equal keys. */
function keysOf(split: Compared): Float64Array {
  const keys = new Float64Array(split.ids.length);
  let row = 0;
  const bytes = split.rowSize * (areBytes(split) ? 1 : 4);
  const [size, words] = bytes % 4 === 0 ? [bytes / 4, wordsOf] : [bytes, bytesIn];
  for (const block of blocksOf(split)) {
    const values = words(block);
    for (let from = 0; from < values.length; from += size) {
      let [a, b] = [0, 0x9747b28c];
      for (let at = from; at < from + size; at++) {
        const value = values[at]!;
        a = turned(a ^ Math.imul(turned(Math.imul(value, 0xcc9e2d51), 15), 0x1b873593), 13);
        a = (Math.imul(a, 5) + 0xe6546b64) | 0;
        b = turned(b ^ Math.imul(turned(Math.imul(value, 0x85ebca6b), 16), 0xc2b2ae35), 17);
        b = (Math.imul(b, 5) + 0x38495ab5) | 0;
      }
      keys[row++] = (a >>> 0) * 2 ** 21 + (b >>> 11);
    }
  }
  return keys;
}

function turned(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

function bytesIn({ buffer, byteOffset, byteLength }: Samples): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Samples as 32-bit words. */
function wordsOf(samples: Samples): Uint32Array {
  const { buffer, byteOffset, byteLength } = samples.byteOffset % 4 === 0 ? samples : samples.slice();
  return new Uint32Array(buffer, byteOffset, byteLength / 4);
}
