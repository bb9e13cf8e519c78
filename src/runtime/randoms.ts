import { RandomStream } from '../base/random.ts';

/** Fills `data` with the numbers that belong to call `step` of the feed `name`, after the first `skipped` of them. */
export function fillRandom(
  data: Float32Array,
  key: readonly (string | number)[],
  step: number,
  name: string,
  skipped = 0,
): void {
  new RandomStream(...key, step, name).skip(skipped).fillUniform(data);
}
