import { RandomStream } from '../base/random.ts';

/** Fills `data` with the numbers that belong to call `step` of the feed `name`. */
export function fillRandom(data: Float32Array, key: readonly (string | number)[], step: number, name: string): void {
  new RandomStream(...key, step, name).fillUniform(data);
}
