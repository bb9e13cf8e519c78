import type { OnProgress } from '../base/progress.ts';
import { samplesAtOnce } from '../data/batches/at-once.ts';
import { plainBatches } from '../data/batches/batches.ts';
import type { Dataset } from '../data/dataset.ts';
import { inTurns } from '../runtime/collectives/collectives.ts';
import type { Collectives } from '../runtime/collectives/collectives.ts';
import { taskOf } from '../tasks/registry.ts';
import { InferenceModel } from '../runtime/inference.ts';
import { modelFeeds, storedFeeds } from '../runtime/feeds.ts';
import type { InputPart } from '../data/dataset.ts';
import { fromStored, openFastestTflite, openTflite } from '../runtime/litert.ts';
import type { TfliteSession } from '../runtime/litert.ts';
import type { Form } from '../report/artifact.ts';
import type { SessionOptions } from '../runtime/onnxruntime/session-options.ts';

/** A file that ships, whichever runtime runs it. */
export interface ModelFile extends Pick<Form, 'format' | 'precision'> {
  /** Relative to the folder of the run. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

export interface Runner {
  /** x: [n, ...sampleShape], result: [n, width]. */
  readonly logits: (x: Float32Array, shape: readonly number[], inputs?: readonly InputPart[]) => Promise<Float32Array>;
  readonly dispose: () => void;
}

export async function openRunner({ file, bytes, format }: ModelFile, session: SessionOptions): Promise<Runner> {
  return format === 'onnx'
    ? onnxRunner(new InferenceModel(bytes, file, session))
    : tfliteRunner(openTflite(bytes, { name: file }));
}

function onnxRunner(model: InferenceModel): Runner {
  const output = logitsOf(model).name;
  return {
    logits: async (x, shape, inputs) =>
      (await model.run(modelFeeds(model, x, shape, inputs), [output]))[output]!.data as Float32Array,
    dispose: () => model.dispose(),
  };
}

/** A file of several outputs names the one of the classes; the only one of a file may have any name. */
function logitsOf<T extends { readonly name: string }>({ outputs }: { readonly outputs: readonly T[] }): T {
  return outputs.find(({ name }) => name === 'logits') ?? outputs[0]!;
}

/** One sample at a time, or all at once where the file takes any batch. */
async function tfliteRunner(opened: Promise<TfliteSession>): Promise<Runner> {
  const session = await opened;
  const output = logitsOf(session);
  const isDynamic = session.inputs[0]!.shape[0] === -1;
  return {
    logits: async (x, [n, ...sample], inputs) => {
      const rows: Float32Array[] = [];
      const size = isDynamic ? x.length : x.length / n!;
      for (let at = 0; at < x.length; at += size) {
        const shape = [isDynamic ? n! : 1, ...sample];
        const results = await session.run(storedFeeds(session, x.slice(at, at + size), shape, inputs));
        rows.push(fromStored(results[output.name]!, output));
      }
      const logits = new Float32Array(rows.reduce((sum, row) => sum + row.length, 0));
      rows.forEach((row, i) => logits.set(row, i * rows[0]!.length));
      return logits;
    },
    dispose: () => session.dispose(),
  };
}

/** What asking a file about a split may come with. */
export interface Asking {
  readonly session: SessionOptions;
  readonly onProgress?: OnProgress | undefined;
  /** Processes that take turns at the batches. */
  readonly together?: Collectives | undefined;
}

/** Outputs of a file, [count, width], for every sample of a split, in its order. */
export async function logitsOfFile(
  file: ModelFile,
  split: Dataset,
  { session, onProgress, together }: Asking,
): Promise<Float32Array> {
  const classes = taskOf(split).width;
  const runner = await (file.format === 'tflite'
    ? tfliteRunner(openFastestTflite(file.bytes, file.file))
    : openRunner(file, session));
  const batchSize = samplesAtOnce(split.sampleShape, 250);
  const { count, batch } = plainBatches(split, batchSize);
  try {
    const all = await inTurns(together, { count, width: batchSize * classes }, async (item) => {
      const { x, shape, inputs } = batch(item);
      const logits = await runner.logits(x, shape, inputs);
      onProgress?.(`${split.name} samples,`, Math.min(split.count, (item + 1) * batchSize), split.count);
      return logits;
    });
    return all.slice(0, split.count * classes);
  } finally {
    runner.dispose();
  }
}

/** The score of a file on a split. */
export async function scoreOfFile(file: ModelFile, split: Dataset, asking: Asking): Promise<number> {
  return taskOf(split).scoreOf(await logitsOfFile(file, split, asking), split.targets);
}
