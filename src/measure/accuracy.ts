import { batches } from '../data/batches.ts';
import type { Dataset } from '../data/dataset.ts';
import type { InferenceModel } from '../runtime/inference.ts';

const BATCH = 250;

/** Logits [count, classes] of every sample of a split, in its order, without augmentation. */
export async function logitsOf(model: InferenceModel, dataset: Dataset, count = dataset.count): Promise<Float32Array> {
  const [input] = model.inputs;
  const [output] = model.outputs;
  const all: Float32Array[] = [];
  let done = 0;
  for (const { x, shape } of batches(dataset, { batchSize: BATCH, seed: 0, epoch: 0, shuffle: false })) {
    if (done >= count) break;
    const results = await model.run({ [input!.name]: { data: x, shape } });
    all.push((results[output!.name]!.data as Float32Array).slice());
    done += shape[0]!;
  }
  const classes = all[0]!.length / Math.min(BATCH, dataset.count);
  const logits = new Float32Array(done * classes);
  all.reduce((offset, part) => {
    logits.set(part, offset);
    return offset + part.length;
  }, 0);
  return logits.subarray(0, Math.min(count, done) * classes);
}

/** The class of each row. */
export function classesOf(logits: Float32Array, classes: number): Int32Array {
  return Int32Array.from({ length: logits.length / classes }, (_, row) => {
    let best = 0;
    for (let c = 1; c < classes; c++) if (logits[row * classes + c]! > logits[row * classes + best]!) best = c;
    return best;
  });
}

/** Share of equal entries. */
export function agreement(a: Int32Array, b: Int32Array): number {
  let equal = 0;
  for (let i = 0; i < a.length; i++) if (a[i] === b[i]) equal++;
  return equal / a.length;
}

/** Share of the samples of a split that a file has right. */
export async function accuracyOf(model: InferenceModel, dataset: Dataset): Promise<number> {
  const logits = await logitsOf(model, dataset);
  return agreement(classesOf(logits, dataset.classNames.length), dataset.labels);
}
