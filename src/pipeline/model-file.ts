import { UserError } from '../base/errors.ts';
import { batches } from '../data/batches.ts';
import type { Dataset } from '../data/dataset.ts';
import { classesOf } from '../measure/accuracy.ts';
import { InferenceModel } from '../runtime/inference.ts';
import { openTflite } from '../runtime/litert.ts';
import type { TfliteSession } from '../runtime/litert.ts';
import type { SessionOptions } from '../runtime/session.ts';

/** A file that ships, whichever runtime runs it. */
export interface ModelFile {
  /** Relative to the folder of the run. */
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly format: 'onnx' | 'tflite';
  readonly precision: 'fp32' | 'fp16' | 'int8' | 'dynamic-int8' | 'int4';
}

export interface Runner {
  /** x: [n, ...sampleShape], result: [n, classes]. */
  readonly logits: (x: Float32Array, shape: readonly number[]) => Promise<Float32Array>;
  readonly dispose: () => void;
}

export async function openRunner({ file, bytes, format }: ModelFile, session: SessionOptions): Promise<Runner> {
  return format === 'onnx' ? onnxRunner(new InferenceModel(bytes, file, session)) : tfliteRunner(openTflite(bytes));
}

function onnxRunner(model: InferenceModel): Runner {
  const [input, output] = [model.inputs[0]!.name, model.outputs[0]!.name];
  return {
    logits: async (data, shape) =>
      (await model.run({ [input]: { data, shape } }, [output]))[output]!.data as Float32Array,
    dispose: () => model.dispose(),
  };
}

/** TFLite files that ship have batch 1. */
async function tfliteRunner(opened: Promise<TfliteSession>): Promise<Runner> {
  const session = await opened;
  const [input, output] = [session.inputs[0]!.name, session.outputs[0]!.name];
  return {
    logits: async (x, [n]) => {
      const rows: Float32Array[] = [];
      const size = x.length / n!;
      for (let i = 0; i < n!; i++) {
        const results = await session.run({ [input]: x.slice(i * size, (i + 1) * size) });
        rows.push(results[output] as Float32Array);
      }
      const classes = rows[0]!.length;
      const logits = new Float32Array(n! * classes);
      rows.forEach((row, i) => logits.set(row, i * classes));
      return logits;
    },
    dispose: () => session.dispose(),
  };
}

/**
 * The native library answers about ten times as fast as LiteRT's WebAssembly, which counts over all samples of a split; where
 * it is not installed or lacks an operator, LiteRT it is. Their answers differ by roundings.
 */
async function fastest(bytes: Uint8Array): Promise<TfliteSession> {
  try {
    return await openTflite(bytes, { runtime: 'native' });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return openTflite(bytes);
  }
}

/** Logits [count, classes] of every sample of a split, in its order. */
export async function logitsOfFile(file: ModelFile, split: Dataset, session: SessionOptions): Promise<Float32Array> {
  const classes = split.classNames.length;
  const all = new Float32Array(split.count * classes);
  const runner = await (file.format === 'tflite' ? tfliteRunner(fastest(file.bytes)) : openRunner(file, session));
  let done = 0;
  try {
    for (const { x, shape } of batches(split, { batchSize: 250, seed: 0, epoch: 0, shuffle: false })) {
      all.set(await runner.logits(x, shape), done * classes);
      done += shape[0]!;
    }
  } finally {
    runner.dispose();
  }
  return all;
}

/** What a file says about each sample of a split, in its order. */
export async function predictionsOfFile(file: ModelFile, split: Dataset, session: SessionOptions): Promise<Int32Array> {
  return classesOf(await logitsOfFile(file, split, session), split.classNames.length);
}
