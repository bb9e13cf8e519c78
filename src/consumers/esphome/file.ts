import { UserError } from '../../base/errors.ts';
import { STREAMS } from '../../base/streams.ts';
import { beyondBudget } from '../../convert/budgets.ts';
import { leastDb } from '../../convert/likeness.ts';
import { STREAM_FORM } from '../../convert/streams.ts';
import { writeFrom } from '../../convert/write.ts';
import { inOnePiece } from '../../formats/onnx/large.ts';
import type { Graph } from '../../graph/types.ts';
import { lowerToOnnx } from '../../formats/onnx/lower.ts';
import { onnxContent } from '../../formats/onnx/protobuf.ts';
import { openerFor, sessionOptionsOf } from '../../runtime/recipe-options.ts';
import { CONVERT_DEFAULTS } from '../../ship/convert/options.ts';
import { samplesFor } from '../../ship/convert/samples.ts';
import type { ConvertSource } from '../../ship/convert/source.ts';
import { STREAM_CHECK } from '../../ship/convert/streams.ts';
import { compareOn } from '../../ship/parity/compare.ts';
import { openFileRunner } from '../../ship/parity/runners.ts';
import { FEATURE_SCALE } from './device.ts';
import { probabilityGraph, withInputScale } from './probability.ts';

export interface WakeWordFile {
  readonly bytes: Uint8Array;
  /** Likeness of its probabilities to those of the run's float32 model, hop by hop. */
  readonly likeness: { readonly sqnrDb: number | null; readonly largestError: number; readonly windows: number };
}

/**
 * The model of a run as ESPHome runs it: int8 stream of [1, hop, 40] features in the scale of devices, uint8 probability. Compared hop by hop with the
 * run's float32 model; `UserError` beyond the budget of int8, and by the name of a layer that looks ahead.
 */
export async function wakeWordFile(source: ConvertSource, word: number, name: string): Promise<WakeWordFile> {
  const check = (await STREAM_CHECK.load(STREAMS))(source.graph, 'tflite');
  const graph = probabilityGraph(source.graph, word);
  const options = { ...CONVERT_DEFAULTS, format: 'tflite', precision: 'int8', from: source.file } as const;
  const samples = await samplesFor(source, options);
  const made = await writeFrom(
    { graph, metadata: new Map() },
    samples.calibration,
    {
      ...options,
      name,
      ends: 'int8',
      outputEnds: 'uint8',
      stream: await STREAM_FORM.load(STREAMS),
      rescaled: (scales) => withInputScale(graph, scales, FEATURE_SCALE),
    },
    {
      open: openerFor({ device: 'cpu', threads: 0 }),
      describe: () => ({ name, description: 'Made by limbeck.' }),
      answers: 'logits',
      fields: [],
    },
  );
  const session = sessionOptionsOf({ device: 'cpu', threads: 0 });
  const reference = await openFileRunner(asOnnx(graph, name), session);
  try {
    const windows = check.windows(samples.check);
    const likenessOf = async (bytes: Uint8Array) => {
      const runner = await check.open({ file: `${name}.tflite`, bytes, format: 'tflite' }, session);
      try {
        const { outputs } = await compareOn(windows, reference, {
          ...runner,
          run: runner.run.bind(runner),
          outputs: runner.outputs,
          file: name,
        });
        return { bytes, outputs };
      } finally {
        runner.dispose();
      }
    };
    const all = [made, ...(made.uncorrected ? [made.uncorrected] : [])];
    const compared = [];
    for (const { bytes } of all) compared.push(await likenessOf(inOnePiece(bytes, name, 'TFLite')));
    const [best] = compared.sort((a, b) => leastDb(b.outputs) - leastDb(a.outputs));
    const [likeness] = best!.outputs;
    const beyond = beyondBudget(likeness!, 'int8');
    if (beyond !== undefined)
      throw new UserError(
        `${name}.tflite: answers too differently from ${source.file}: ${beyond}`,
        'The folder was not written. Train with quantize: { scheme: int8 } and another student, or on more samples.',
      );
    const { sqnrDb, largestError } = likeness!;
    return { bytes: best!.bytes, likeness: { sqnrDb, largestError, windows: windows.length } };
  } finally {
    reference.dispose();
  }
}

function asOnnx(graph: Graph, file: string): Parameters<typeof openFileRunner>[0] {
  return { file, bytes: onnxContent(lowerToOnnx(graph)), format: 'onnx' };
}
