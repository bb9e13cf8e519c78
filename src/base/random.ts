import { createHash } from 'node:crypto';
import { Philox } from './philox.ts';

/** Random numbers of a stream that a key names, e.g. `[seed, 'distill', 'shuffle', epoch]`; equal keys give equal numbers. */
export class RandomStream extends Philox {
  constructor(...key: readonly (string | number)[]) {
    super(createHash('sha256').update(JSON.stringify(key)).digest());
  }
}

/** Result of `work` with `Math.random` seeded by this key: for libraries that take no generator. Not for parallel work. */
export async function withSeededMathRandom<T>(
  key: readonly (string | number)[],
  work: () => T | Promise<T>,
): Promise<T> {
  const stream = new RandomStream(...key);
  const original = Math.random;
  Math.random = () => stream.uniform();
  try {
    return await work();
  } finally {
    Math.random = original;
  }
}
