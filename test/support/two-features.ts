import { RandomStream } from '../../src/base/random.ts';
import type { TrainingBatch } from '../../src/train/step/batch.ts';

/** Samples of two features; the class is which of them is larger. The last batch is smaller where they do not fit. */
export function twoFeatures(samples: number, batch: number, stream: string) {
  const random = new RandomStream(stream);
  const features = Float32Array.from({ length: samples * 2 }, () => random.normal());
  const labels = Int32Array.from({ length: samples }, (_, i) => (features[2 * i]! > features[2 * i + 1]! ? 1 : 0));
  function* batchesFrom(startBatch: number): Generator<TrainingBatch> {
    for (let start = startBatch * batch; start < samples; start += batch) {
      const end = Math.min(samples, start + batch);
      yield { x: features.slice(2 * start, 2 * end), targets: labels.slice(start, end) };
    }
  }
  return { features, labels, batchesFrom };
}
