import type { OnProgress } from '../base/progress.ts';
import { samplesAtOnce } from '../data/batches/at-once.ts';
import { plainBatches } from '../data/batches/batches.ts';
import type { Dataset } from '../data/dataset.ts';
import { joinedValues } from '../tasks/fields.ts';
import type { AnswerField } from '../tasks/fields.ts';
import { taskOf } from '../tasks/registry.ts';
import { InferenceModel } from '../runtime/inference.ts';
import { modelFeeds } from '../runtime/feeds.ts';
import type { InputPart } from '../data/dataset.ts';
import { inOnePiece } from '../formats/onnx/large.ts';
import type { OnnxContent } from '../formats/onnx/large.ts';
import type { Form } from '../report/artifact.ts';
import type { SessionOptions } from '../runtime/onnxruntime/session-options.ts';
import { oneByOne } from '../train/turns.ts';
import type { Turns } from '../train/turns.ts';

/** A file that ships, whichever runtime runs it. */
export interface ModelFile extends Pick<Form, 'format' | 'precision'> {
  /** Relative to the folder of the run. */
  readonly file: string;
  readonly bytes: OnnxContent;
}

export interface Runner {
  /** x: [n, ...sampleShape], result: [n, width]. */
  readonly answers: (x: Float32Array, shape: readonly number[], inputs?: readonly InputPart[]) => Promise<Float32Array>;
  readonly dispose: () => void;
}

/** Opens a file whose outputs are these fields. */
export async function openRunner(
  { file, bytes, format }: ModelFile,
  session: SessionOptions,
  fields: readonly AnswerField[],
): Promise<Runner> {
  return format === 'onnx'
    ? onnxRunner(new InferenceModel(bytes, file, session), fields)
    : tfliteRunner({ file, bytes }, fields);
}

function onnxRunner(model: InferenceModel, fields: readonly AnswerField[]): Runner {
  const outputs = outputsOf(model, fields).map(({ name }) => name);
  return {
    answers: async (x, shape, inputs) => {
      const results = await model.run(modelFeeds(model, x, shape, inputs), outputs);
      const values = fields.map(({ name }, i) => [name, results[outputs[i]!]!.data as Float32Array] as const);
      return joinedValues(Object.fromEntries(values), fields, shape[0]!);
    },
    dispose: () => model.dispose(),
  };
}

/** The output of each field. A file of several outputs names them; the only output of a file may have any name. */
function outputsOf<T extends { readonly name: string }>(
  { outputs }: { readonly outputs: readonly T[] },
  fields: readonly AnswerField[],
): T[] {
  return fields.map((field, i) => outputs.find(({ name }) => name === field.name) ?? outputs[i]!);
}

/** One sample at a time, or all at once where the file takes any batch. */
async function tfliteRunner(
  { file, bytes }: Pick<ModelFile, 'file' | 'bytes'>,
  fields: readonly AnswerField[],
  runtime: 'usual' | 'fastest' = 'usual',
): Promise<Runner> {
  const { fromStored, openFastestTflite, openTflite } = await import('../runtime/litert.ts');
  const { storedFeeds } = await import('../runtime/litert/feeds.ts');
  const whole = inOnePiece(bytes, file, 'TFLite');
  const session = await (runtime === 'fastest' ? openFastestTflite(whole, file) : openTflite(whole, { name: file }));
  const outputs = outputsOf(session, fields);
  const isDynamic = session.inputs[0]!.shape[0] === -1;
  return {
    answers: async (x, [n, ...sample], inputs) => {
      const rows: Float32Array[] = [];
      const size = isDynamic ? x.length : x.length / n!;
      for (let at = 0; at < x.length; at += size) {
        const shape = [isDynamic ? n! : 1, ...sample];
        const results = await session.run(storedFeeds(session, x.slice(at, at + size), shape, inputs));
        const values = fields.map(
          ({ name }, i) => [name, fromStored(results[outputs[i]!.name]!, outputs[i]!)] as const,
        );
        rows.push(joinedValues(Object.fromEntries(values), fields, shape[0]!));
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
  /** Turns at the batches. */
  readonly turns?: Turns | undefined;
}

/** Outputs of a file, [count, width], for every sample of a split, in its order. */
export async function logitsOfFile(
  file: ModelFile,
  split: Dataset,
  { session, onProgress, turns = oneByOne }: Asking,
): Promise<Float32Array> {
  const { fields, width: classes } = taskOf(split);
  const runner = await (file.format === 'tflite'
    ? tfliteRunner(file, fields, 'fastest')
    : openRunner(file, session, fields));
  const batchSize = samplesAtOnce(split.sampleShape, 250);
  const { count, batch } = plainBatches(split, batchSize);
  try {
    const all = await turns.inTurns({ count, width: batchSize * classes }, async (item) => {
      const { x, shape, inputs } = batch(item);
      const logits = await runner.answers(x, shape, inputs);
      onProgress?.(`${split.name} samples,`, Math.min(split.count, (item + 1) * batchSize), split.count);
      return logits;
    });
    return all.subarray(0, split.count * classes);
  } finally {
    runner.dispose();
  }
}

/** The score of a file on a split. */
export async function scoreOfFile(file: ModelFile, split: Dataset, asking: Asking): Promise<number> {
  return taskOf(split).scoreOf(await logitsOfFile(file, split, asking), split.targets);
}
