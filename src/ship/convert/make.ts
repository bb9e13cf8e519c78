import path from 'node:path';
import { withFloatLayers } from '../../compress/quantize/kept.ts';
import { quantizableLayers } from '../../compress/quantize/sensitivity.ts';
import type { CalibrationSamples } from '../../compress/quantize/observe.ts';
import { lowerToOnnx } from '../../formats/onnx/lower.ts';
import type { Options } from '../../formats/onnx/lower.ts';
import type { OnnxContent } from '../../formats/onnx/large.ts';
import { onnxContent } from '../../formats/onnx/protobuf.ts';
import { exportQdq } from '../../formats/onnx/qdq/qdq.ts';
import { lowerReduced } from '../../formats/onnx/rewrite/reduce.ts';
import type { Skipped } from '../../base/skipped.ts';
import { exportTflite } from '../../formats/tflite/export.ts';
import type { Graph } from '../../graph/types.ts';
import { isFrontEnd } from '../../networks/sound/log-mel.ts';
import { descriptionFrom, formIn, loadDescription } from '../description.ts';
import { fieldsIn } from '../../files/stated.ts';
import { keptFloat, prepareInt8 } from '../quantize.ts';
import type { ConvertOptions } from './options.ts';
import type { ConvertSource } from './source.ts';

export function nameOfSource(from: string): string {
  return path.basename(path.resolve(from)).replace(/\.(onnx|json|keras|h5|hdf5)$/, '');
}

export interface Made {
  /** Layers that int8 files hold in integers. */
  readonly layers: readonly string[];
  readonly bytes: OnnxContent;
  readonly skipped: readonly Skipped[];
  /** The same file, whose bytes are `written`, with other metadata. */
  readonly write: (metadata: ReadonlyMap<string, string>, written: OnnxContent) => OnnxContent;
  /** The same file, of the same calibration, with biases as they were before they were corrected; absent where none was. */
  readonly uncorrected?: Made;
}

/** The file, written from the source in the format and precision that are asked for. */
export async function make(source: ConvertSource, samples: CalibrationSamples, options: ConvertOptions): Promise<Made> {
  await loadDescription(formIn(source.metadata));
  const [made, uncorrected] = (await writersFor(source, samples, options)).map(({ graph, writer, skipped }): Made => {
    const made = writer(source.metadata);
    return {
      layers: quantizableLayers(graph),
      bytes: made.bytes,
      skipped: [...skipped, ...made.skipped],
      write: (metadata) => writer(metadata).bytes,
    };
  });
  return { ...made!, ...(uncorrected && { uncorrected }) };
}

interface Writable {
  readonly graph: Graph;
  readonly skipped: readonly Skipped[];
  readonly writer: (metadata: ReadonlyMap<string, string>) => Written;
}

interface Written {
  readonly bytes: OnnxContent;
  readonly skipped: readonly Skipped[];
}

const UNCORRECTED: Skipped = {
  what: 'every bias',
  why: 'the file answers samples that did not calibrate it better without the correction of biases',
};

/** The file, and behind it the same with biases that were not corrected. */
async function writersFor(
  { graph, metadata: stated }: ConvertSource,
  samples: CalibrationSamples,
  options: ConvertOptions,
): Promise<readonly Writable[]> {
  const { format, precision, calibrator, symmetric, opset, batch = 1, ends = 'float32' } = options;
  const dense = options.dense ?? (format === 'tflite' ? 'tensor' : 'channel');
  const name = nameOfSource(options.from);
  const onnx = (metadata: ReadonlyMap<string, string>): Options => ({ name, opset, metadata });
  const describe = (metadata: ReadonlyMap<string, string>) =>
    descriptionFrom(name, metadata, [...graph.inputs.keys()][0]!);
  if (precision === 'int8' || precision === 'int16x8') {
    const answers = stated.get('output') === 'values' ? 'values' : 'logits';
    const kept = keptFloat(options, graph, { answers, fields: fieldsIn(stated) ?? [] });
    const step = { scheme: precision, calibrator, symmetric, biasCorrection: true, dense, kept };
    const asked = { ...step, integerEnds: ends !== 'float32' };
    const prepared = await prepareInt8({ device: 'cpu', threads: 0 }, graph, asked, samples, options.onProgress);
    const keepFloat = (layer: string): boolean => kept.includes(layer);
    const { quantization, skipped, float } = prepared;
    const integer = { precision: 'integer' as const, quantization, keepFloat, batch, ends };
    // The front-end of sounds: rounded to 16 bits it is off by less than a step of 8 bits, and by more than one of 16.
    const narrow = precision === 'int8' && { storeFixed: isFrontEnd };
    const write = (ready: Graph, metadata: ReadonlyMap<string, string>): Written => {
      if (format === 'tflite') return exportTflite(ready, { ...integer, ...narrow, description: describe(metadata) });
      const made = exportQdq(ready, quantization, { ...onnx(metadata), keepFloat });
      return { bytes: onnxContent(made.result), skipped: made.skipped };
    };
    const ready = withFloatLayers(prepared.graph, float, keepFloat);
    const made: Writable = { graph: ready, skipped, writer: (metadata) => write(ready, metadata) };
    if (prepared.graph === float) return [made];
    return [made, { graph: float, skipped: [...skipped, UNCORRECTED], writer: (metadata) => write(float, metadata) }];
  }
  if (format === 'tflite') {
    const names = { fp32: 'float32', fp16: 'float16', 'dynamic-int8': 'dynamic', int4: 'dynamic' } as const;
    const sparse = options.sparse === true;
    const reduced = { precision: names[precision], dense, batch, sparse, keepFloat: isFrontEnd } as const;
    const writer = (metadata: ReadonlyMap<string, string>): Written =>
      exportTflite(graph, { ...reduced, description: describe(metadata) });
    return [{ graph, skipped: [], writer }];
  }
  if (precision === 'fp32') {
    const writer = (metadata: ReadonlyMap<string, string>): Written => ({
      bytes: onnxContent(lowerToOnnx(graph, onnx(metadata))),
      skipped: [],
    });
    return [{ graph, skipped: [], writer }];
  }
  const writer = (metadata: ReadonlyMap<string, string>): Written => {
    const { result, skipped } = lowerReduced(graph, precision, { ...onnx(metadata), keepFloat: isFrontEnd });
    return { bytes: onnxContent(result), skipped };
  };
  return [{ graph, skipped: [], writer }];
}
