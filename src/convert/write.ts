import type { OnProgress } from '../base/progress.ts';
import type { Skipped } from '../base/skipped.ts';
import type { CalibratorName } from '../compress/quantize/calibrators.ts';
import { keptFloat } from '../compress/quantize/float-layers.ts';
import { withFloatLayers } from '../compress/quantize/kept.ts';
import { quantizableLayers } from '../compress/quantize/layers.ts';
import type { CalibrationSamples } from '../compress/quantize/observe.ts';
import type { OpenModel } from '../compress/quantize/open-model.ts';
import { prepareInt8 } from '../compress/quantize/prepare.ts';
import type { OnnxContent } from '../formats/onnx/large.ts';
import { lowerToOnnx } from '../formats/onnx/lower.ts';
import type { Options } from '../formats/onnx/lower.ts';
import { onnxContent } from '../formats/onnx/protobuf.ts';
import { exportQdq } from '../formats/onnx/qdq/qdq.ts';
import { lowerReduced } from '../formats/onnx/rewrite/reduce.ts';
import { exportTflite } from '../formats/tflite/export.ts';
import type { ModelDescription } from '../formats/tflite/metadata/metadata.ts';
import { isFrontEnd } from '../graph/front-end.ts';
import type { DenseScales, Quantization } from '../graph/quantization.ts';
import type { Graph } from '../graph/types.ts';
import type { StreamForm, StreamGraph } from './streams.ts';

export interface Made {
  /** Layers that int8 files hold in integers. */
  readonly layers: readonly string[];
  readonly bytes: OnnxContent;
  readonly skipped: readonly Skipped[];
  /** The same file, whose bytes are `written`, with other metadata. */
  readonly write: (metadata: ReadonlyMap<string, string>, written: OnnxContent) => OnnxContent;
  /** Of a TFLite file: indexes of the tensors that hold values of the graph. */
  readonly tensors?: ReadonlyMap<string, number> | undefined;
  /** The same file, of the same calibration, with biases as they were before they were corrected; absent where none was. */
  readonly uncorrected?: Made;
}

/** Model to write: an inference graph, with the metadata that its file is to hold. */
export interface WriteSource {
  readonly graph: Graph;
  readonly metadata: ReadonlyMap<string, string>;
}

export interface WriteOptions {
  /** Name of the graph in the file. */
  readonly name: string;
  readonly format: 'onnx' | 'tflite';
  readonly precision: 'fp32' | 'fp16' | 'int8' | 'dynamic-int8' | 'int16x8' | 'int4';
  readonly calibrator: CalibratorName;
  readonly keepFloat: readonly string[];
  readonly symmetric: boolean;
  readonly opset: number;
  /** TFLite in fp32: pruned filters of 1×1 convolutions as sparse tensors. */
  readonly sparse?: boolean;
  /** TFLite in int8: what the file is fed and hands back. Default float32. */
  readonly ends?: 'float32' | 'int8' | 'uint8';
  /** TFLite in int8: what the file hands back, where that is not what it is fed. */
  readonly outputEnds?: 'int8' | 'uint8';
  /** int8: changes the scales of the graph of windows, for programs that feed integers of a scale of their own. */
  readonly rescaled?: (scales: Quantization) => Quantization;
  /** TFLite with int8 weights: scales of dense layers. Default `tensor`; `channel` needs TensorFlow Lite 2.17. */
  readonly dense?: DenseScales | undefined;
  /** TFLite: samples at once. Default 1. */
  readonly batch?: 1 | 'dynamic';
  /** The file takes a hop at a time. */
  readonly stream?: StreamForm | undefined;
  /** Listener to the progress of the calibration. */
  readonly onProgress?: OnProgress | undefined;
}

/** Answers of the model, and what a TFLite file says of it, which the caller knows. */
export interface WriteHelp extends Pick<Parameters<typeof keptFloat>[2], 'answers' | 'fields'> {
  /** Runtime that calibrates integers. */
  readonly open: OpenModel;
  readonly describe: (metadata: ReadonlyMap<string, string>) => ModelDescription;
}

/** The file, written from the source in the format and precision that are asked for. */
export async function writeFrom(
  source: WriteSource,
  samples: CalibrationSamples,
  options: WriteOptions,
  help: WriteHelp,
): Promise<Made> {
  const [made, uncorrected] = (await writersFor(source, samples, options, help)).map(
    ({ graph, writer, skipped }): Made => {
      const made = writer(source.metadata);
      return {
        layers: quantizableLayers(graph),
        bytes: made.bytes,
        tensors: made.tensors,
        skipped: [...skipped, ...made.skipped],
        write: (metadata) => writer(metadata).bytes,
      };
    },
  );
  return { ...made!, ...(uncorrected && { uncorrected }) };
}

interface Writable {
  readonly graph: Graph;
  readonly skipped: readonly Skipped[];
  readonly writer: (metadata: ReadonlyMap<string, string>) => Written;
}

interface Written {
  readonly bytes: OnnxContent;
  readonly tensors?: ReadonlyMap<string, number>;
  readonly skipped: readonly Skipped[];
}

const UNCORRECTED: Skipped = {
  what: 'every bias',
  why: 'the file answers samples that did not calibrate it better without the correction of biases',
};

/** The graph that is written, with its metadata and scales: a stream of it where the file is to be a stream. */
function written(
  graph: Graph,
  { stream, format }: WriteOptions,
): StreamGraph & Partial<Pick<StreamForm, 'storePasts'>> {
  if (stream === undefined) return { graph, metadata: (of) => of, scales: (of) => of };
  return { ...stream.streamGraph(graph, format), storePasts: stream.storePasts };
}

type Metadata = ReadonlyMap<string, string>;

/** The file, and behind it the same with biases that were not corrected. */
async function writersFor(
  { graph: whole }: WriteSource,
  samples: CalibrationSamples,
  options: WriteOptions,
  { open, describe, ...answers }: WriteHelp,
): Promise<readonly Writable[]> {
  const { name, format, precision, calibrator, symmetric, opset, batch = 1, ends = 'float32', outputEnds } = options;
  const dense = options.dense ?? (format === 'tflite' ? 'tensor' : 'channel');
  const onnx = (metadata: Metadata): Options => ({ name, opset, metadata });
  if (precision === 'int8' || precision === 'int16x8') {
    const kept = keptFloat(options, whole, answers);
    const step = { scheme: precision, calibrator, symmetric, biasCorrection: true, dense, kept };
    const asked = { ...step, integerEnds: ends !== 'float32' };
    const prepared = await prepareInt8(open, whole, asked, samples, options.onProgress);
    const keepFloat = (layer: string): boolean => kept.includes(layer);
    const { skipped, float } = prepared;
    // The front-end of sounds: rounded to 16 bits it is off by less than a step of 8 bits, and by more than one of 16.
    const narrow = precision === 'int8' && { storeFixed: isFrontEnd };
    const write = (ready: Graph, of: Metadata): Written => {
      const { graph, metadata, scales, storePasts } = written(ready, options);
      const quantization = scales(options.rescaled?.(prepared.quantization) ?? prepared.quantization);
      if (format === 'tflite') {
        const integer = { precision: 'integer' as const, quantization, keepFloat, batch, ends, outputEnds, storePasts };
        return exportTflite(graph, { ...integer, ...narrow, description: describe(metadata(of)) });
      }
      const made = exportQdq(graph, quantization, { ...onnx(metadata(of)), keepFloat });
      return { bytes: onnxContent(made.result), skipped: made.skipped };
    };
    const ready = withFloatLayers(prepared.graph, float, keepFloat);
    const made: Writable = { graph: ready, skipped, writer: (metadata) => write(ready, metadata) };
    if (prepared.graph === float) return [made];
    return [made, { graph: float, skipped: [...skipped, UNCORRECTED], writer: (metadata) => write(float, metadata) }];
  }
  const { graph, metadata, storePasts } = written(whole, options);
  if (format === 'tflite') {
    const names = { fp32: 'float32', fp16: 'float16', 'dynamic-int8': 'dynamic', int4: 'dynamic' } as const;
    const sparse = options.sparse === true;
    const reduced = { precision: names[precision], dense, batch, sparse, keepFloat: isFrontEnd, storePasts } as const;
    const writer = (of: Metadata): Written => exportTflite(graph, { ...reduced, description: describe(metadata(of)) });
    return [{ graph: whole, skipped: [], writer }];
  }
  if (precision === 'fp32') {
    const writer = (of: Metadata): Written => ({
      bytes: onnxContent(lowerToOnnx(graph, onnx(metadata(of)))),
      skipped: [],
    });
    return [{ graph: whole, skipped: [], writer }];
  }
  const writer = (of: Metadata): Written => {
    const { result, skipped } = lowerReduced(graph, precision, { ...onnx(metadata(of)), keepFloat: isFrontEnd });
    return { bytes: onnxContent(result), skipped };
  };
  return [{ graph: whole, skipped: [], writer }];
}
