import { RandomStream } from '../../src/base/random.ts';
import type { Dataset } from '../../src/data/dataset.ts';

export const CLASSES = ['ant', 'bee', 'cow'];

/**
 * Pictures of 4×4×2 in 8 bits, three classes: of class k, row k of the second channel is bright. Ids are not positions:
 * sample i has the id 10·i + 3.
 */
export function pictures(count = 60, change: Partial<Dataset> = {}): Dataset {
  const random = new RandomStream('pictures');
  const samples = new Uint8Array(count * 32);
  const labels = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const label = (labels[i] = i % CLASSES.length);
    for (let p = 0; p < 16; p++) {
      samples[i * 32 + 2 * p] = random.below(256);
      samples[i * 32 + 2 * p + 1] = random.below(60) + (Math.floor(p / 4) === label ? 190 : 0);
    }
  }
  return {
    name: 'train',
    idPrefix: 'train',
    sampleShape: [4, 4, 2],
    classNames: CLASSES,
    count,
    ids: Int32Array.from({ length: count }, (_, i) => 10 * i + 3),
    samples,
    targets: labels,
    task: 'classification',
    normalization: { scale: 1 / 255, mean: [0, 0], std: [1, 1] },
    ...change,
  };
}
