import path from 'node:path';
import { UserError } from '../base/errors.ts';
import { writeFileAtomic } from '../base/files.ts';
import { withFloatLayers } from '../compress/quantize/kept.ts';
import type { Samples } from '../compress/quantize/observe.ts';
import { quantizableLayers } from '../compress/quantize/sensitivity.ts';
import { lowerToOnnx } from '../formats/onnx/lower.ts';
import type { Options } from '../formats/onnx/lower.ts';
import { encodeModel } from '../formats/onnx/protobuf.ts';
import { exportQdq } from '../formats/onnx/qdq/qdq.ts';
import { lowerReduced } from '../formats/onnx/reduce.ts';
import type { Skipped } from '../formats/skipped.ts';
import { exportTflite } from '../formats/tflite/export.ts';
import type { Graph } from '../graph/types.ts';
import { agreement, classesOf } from '../measure/accuracy.ts';
import { formName } from '../report/artifact.ts';
import { CONVERT_DEFAULTS } from './convert/options.ts';
import type { ConvertOptions } from './convert/options.ts';
import { openSource } from './convert/source.ts';
import type { ConvertSource } from './convert/source.ts';
import { samplesFor } from './convert/samples.ts';
import { descriptionFrom } from './description.ts';
import { sessionOptionsOf } from '../runtime/recipe-options.ts';
import type { ModelFile } from './model-file.ts';
import { openRunner } from './model-file.ts';
import { BUDGETS } from './stages/budgets.ts';
import { largestDifference } from './stages/export.ts';
import { keptFloat, prepareInt8 } from './stages/quantize.ts';

export interface Converted {
  readonly from: string;
  readonly to: string;
  readonly bytes: number;
  readonly skipped: readonly Skipped[];
  /** Share of the samples on which file and float model give the same class; null without samples. */
  readonly top1Agreement: number | null;
  /** Largest difference of a logit on them; null without samples. */
  readonly largestError: number | null;
  readonly samples: number;
}

/**
 * A model file in another format or in fewer bits, without a recipe. The new file is run beside the float model on the
 * samples, where there are some, and is not written if it answers too differently. `UserError` for what cannot be read or
 * written, and for int8 without samples.
 */
export async function convertFile(given: Partial<ConvertOptions> & Pick<ConvertOptions, 'from'>): Promise<Converted> {
  const options: ConvertOptions = { ...CONVERT_DEFAULTS, ...given };
  const to = options.out ?? `${formName(nameOf(options.from), options)}.${options.format}`;
  refuse(options, to);
  const { bytes, ...converted } = await convertModel(options, to);
  await writeFileAtomic(to, bytes);
  return { ...converted, bytes: bytes.length };
}

/** As `convertFile`, without writing: `to` is what the file is called in messages. */
export async function convertModel(
  options: ConvertOptions,
  to: string,
): Promise<Omit<Converted, 'bytes'> & { readonly bytes: Uint8Array }> {
  const { format, precision } = options;
  const source = await openSource(options.from, options.model);
  const samples = await samplesFor(source, options);
  const { graph, bytes, skipped } = await make(source, samples, options);
  const file = { file: to, bytes, format, precision };
  const none = { top1Agreement: null, largestError: null };
  const likeness = samples.length === 0 ? none : await compare(source.graph, graph, samples, file);
  const count = samples.reduce((sum, feeds) => sum + Object.values(feeds)[0]!.shape[0]!, 0);
  return { from: source.file, to, bytes, skipped, ...likeness, samples: count };
}

function nameOf(from: string): string {
  return path.basename(path.resolve(from)).replace(/\.(onnx|json)$/, '');
}

const WITH_INT8_WEIGHTS: readonly string[] = ['int8', 'dynamic-int8', 'int16x8'];

function refuse({ from, format, precision, sparse, ends, batch, dense }: ConvertOptions, to: string): void {
  if (format === 'onnx' && precision === 'int16x8')
    throw new UserError('--precision int16x8: expected --format tflite, received onnx', 'Choose int8 for ONNX.');
  if ((ends ?? 'float32') !== 'float32' && !(format === 'tflite' && precision === 'int8'))
    throw new UserError(
      `--ends ${ends}: expected --format tflite --precision int8, received ${format} and ${precision}`,
      'Leave it out: all others are fed float32.',
    );
  if (dense !== undefined && !(format === 'tflite' && WITH_INT8_WEIGHTS.includes(precision)))
    throw new UserError(
      `--dense-scales ${dense}: expected --format tflite and a --precision with int8 weights, received ${format} and ${precision}`,
      'Leave it out: ONNX files have a scale for each output, others have none.',
    );
  if (batch === 'dynamic' && format === 'onnx')
    throw new UserError(
      '--batch dynamic: expected --format tflite, received onnx',
      'Leave it out: ONNX files take any.',
    );
  if (format === 'tflite' && precision === 'int4')
    throw new UserError('--precision int4: expected --format onnx, received tflite', 'Choose int8 for TFLite.');
  if (sparse === true && !(format === 'tflite' && precision === 'fp32'))
    throw new UserError(
      `--sparse: expected --format tflite --precision fp32, received ${format} and ${precision}`,
      'Leave it out: there is no sparse form of these.',
    );
  if (path.resolve(from) === path.resolve(to))
    throw new UserError(
      `--out: expected another file than the one that is read, received ${to}`,
      'Choose another name.',
    );
}

interface Made {
  readonly graph: Graph;
  readonly bytes: Uint8Array;
  readonly skipped: readonly Skipped[];
}

async function make(source: ConvertSource, samples: Samples, options: ConvertOptions): Promise<Made> {
  const { format, precision, calibrator, symmetric } = options;
  const { graph } = source;
  const onnx: Options = { name: nameOf(options.from), opset: options.opset, metadata: source.metadata };
  const description = descriptionFrom(nameOf(options.from), source.metadata, [...graph.inputs.keys()][0]!);
  const { batch = 1, ends = 'float32' } = options;
  const dense = options.dense ?? (format === 'tflite' ? 'tensor' : 'channel');
  if (precision === 'int8' || precision === 'int16x8') {
    const kept = keptFloat(options, graph);
    const step = { scheme: precision, calibrator, symmetric, equalize: false, biasCorrection: true, dense };
    const prepared = await prepareInt8({ device: 'cpu', threads: 0 }, graph, step, samples);
    const keepFloat = (layer: string): boolean => kept.includes(layer);
    const { quantization } = prepared;
    const ready = withFloatLayers(prepared.graph, prepared.float, keepFloat);
    if (format === 'tflite') {
      const made = exportTflite(ready, {
        ...{ precision: 'integer', quantization, keepFloat, description, batch },
        ends,
      });
      return { ...made, graph: ready, skipped: [...prepared.skipped, ...made.skipped] };
    }
    const { result, skipped } = exportQdq(ready, quantization, { ...onnx, keepFloat });
    return { graph: ready, bytes: encodeModel(result), skipped: [...prepared.skipped, ...skipped] };
  }
  if (format === 'tflite') {
    const names = { fp32: 'float32', fp16: 'float16', 'dynamic-int8': 'dynamic', int4: 'dynamic' } as const;
    return {
      graph,
      ...exportTflite(graph, {
        precision: names[precision],
        dense,
        description,
        batch,
        sparse: options.sparse === true,
      }),
    };
  }
  if (precision === 'fp32') return { graph, bytes: encodeModel(lowerToOnnx(graph, onnx)), skipped: [] };
  const { result, skipped } = lowerReduced(graph, precision, onnx);
  return { graph, bytes: encodeModel(result), skipped };
}

/** How like the float model the file is, if the budget of the precision holds. */
async function compare(
  float: Graph,
  graph: Graph,
  samples: Samples,
  file: ModelFile,
): Promise<{ top1Agreement: number; largestError: number }> {
  const session = sessionOptionsOf({ device: 'cpu', threads: 0 });
  const whole = {
    file: 'the float model',
    bytes: encodeModel(lowerToOnnx(float)),
    format: 'onnx',
    precision: 'fp32',
  } as const;
  const runners = [await openRunner(whole, session), await openRunner(file, session)] as const;
  let [equal, count, largestError] = [0, 0, 0];
  try {
    for (const feeds of samples) {
      const { data, shape } = Object.values(feeds)[0]!;
      const [n] = shape as [number];
      const [a, b] = [
        await runners[0].logits(data as Float32Array, shape),
        await runners[1].logits(data as Float32Array, shape),
      ];
      equal += n * agreement(classesOf(a, a.length / n), classesOf(b, b.length / n));
      count += n;
      largestError = Math.max(largestError, largestDifference(a, b));
    }
  } finally {
    for (const { dispose } of runners) dispose();
  }
  const share = equal / count;
  if (share >= BUDGETS[file.precision].top1Agreement) return { top1Agreement: share, largestError };
  throw new UserError(
    `${file.file}: gives the class of the float model on ${(100 * share).toFixed(1)} % of ${count} samples, expected ${100 * BUDGETS[file.precision].top1Agreement} %`,
    `The file was not written. Try another --calibrator, or --keep-float with some of: ${quantizableLayers(graph).join(', ')}.`,
  );
}
