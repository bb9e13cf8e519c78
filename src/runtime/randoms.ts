import { RandomStream } from '../base/random.ts';

/** Fills `data` with the numbers that belong to call `step` of the feed `name`. */
export function fillRandom(data: Float32Array, key: readonly (string | number)[], step: number, name: string): void {
  const stream = new RandomStream(...key, step, name);
  for (let i = 0; i < data.length; i++) data[i] = stream.uniform();
}
