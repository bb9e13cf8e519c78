import { samplesAtOnce } from '../data/at-once.ts';
import { batches } from '../data/batches.ts';
import type { Dataset } from '../data/dataset.ts';
import { modelFeeds } from '../runtime/feeds.ts';
import type { InferenceModel } from '../runtime/inference.ts';
import { agreement, classesOf } from '../tasks/classes.ts';

const BATCH = 250;

/** Logits [count, classes] of every sample of a split, in its order, without augmentation. */
export async function logitsOf(model: InferenceModel, dataset: Dataset, count = dataset.count): Promise<Float32Array> {
  const [output] = model.outputs;
  const all: Float32Array[] = [];
  const batchSize = samplesAtOnce(dataset.sampleShape, BATCH);
  let done = 0;
  for (const { x, shape, inputs } of batches(dataset, { batchSize, seed: 0, epoch: 0, shuffle: false })) {
    if (done >= count) break;
    const results = await model.run(modelFeeds(model, x, shape, inputs));
    all.push((results[output!.name]!.data as Float32Array).slice());
    done += shape[0]!;
  }
  const classes = all[0]!.length / Math.min(batchSize, dataset.count);
  const logits = new Float32Array(done * classes);
  all.reduce((offset, part) => {
    logits.set(part, offset);
    return offset + part.length;
  }, 0);
  return logits.subarray(0, Math.min(count, done) * classes);
}

/** Answers of a file for each sample of a split. */
async function predictionsOf(model: InferenceModel, dataset: Dataset): Promise<Int32Array> {
  return classesOf(await logitsOf(model, dataset), dataset.classNames.length);
}

/** Share of the samples of a split that a file has right. */
export async function accuracyOf(model: InferenceModel, dataset: Dataset): Promise<number> {
  return agreement(await predictionsOf(model, dataset), dataset.targets as Int32Array);
}
