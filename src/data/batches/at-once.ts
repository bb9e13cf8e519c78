import { countOfElements } from '../dataset.ts';

/** Maximum bytes of a batch of samples, as float32. The inner tensors of a picture model are about 30 times as large: 1 GB. */
const MOST_BYTES = 2 ** 25;

/** Number of samples in a call of a model file: `most`, or fewer for large samples (55 of 224×224×3). */
export function samplesAtOnce(sampleShape: readonly number[], most: number): number {
  return Math.max(1, Math.min(most, Math.floor(MOST_BYTES / (4 * countOfElements(sampleShape)))));
}
