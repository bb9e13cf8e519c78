import { lowerToOnnx, outputName } from '../../formats/onnx/lower.ts';
import type { Model } from '../../formats/onnx/model.ts';
import { encodeModel } from '../../formats/onnx/protobuf.ts';
import { exportQdq } from '../../formats/onnx/qdq/qdq.ts';
import { integerRange } from '../../graph/quantization.ts';
import type { Quantization, TensorQuantization } from '../../graph/quantization.ts';
import { sizeOf } from '../../graph/shapes.ts';
import type { Graph } from '../../graph/types.ts';
import { InferenceModel } from '../../runtime/inference.ts';
import type { InferenceTensor } from '../../runtime/inference.ts';
import type { SessionOptions } from '../../runtime/session.ts';
import { bySample } from './by-sample.ts';
import type { Samples } from './observe.ts';

export interface ValueOptions {
  readonly session: SessionOptions;
  readonly keepFloat?: (layer: string) => boolean;
}

/** A value of the float graph on the first `count` samples, one sample after another, whichever axis the batch is. */
export async function floatValues(
  graph: Graph,
  value: string,
  samples: Samples,
  count: number,
  session: SessionOptions,
): Promise<Float32Array> {
  const { only, name } = withOutput(graph, value);
  return joined(valuesOf(lowerToOnnx(only), name, samples, session), graph, value, count);
}

/** The same of the int8 model, as the layer that reads it is given it. */
export async function quantizedValues(
  graph: Graph,
  quantization: Quantization,
  value: string,
  samples: Samples,
  count: number,
  options: ValueOptions,
): Promise<Float32Array> {
  return joined(quantizedBatches(graph, quantization, value, samples, options), graph, value, count);
}

/** The same of all samples, batch by batch. */
async function* quantizedBatches(
  graph: Graph,
  quantization: Quantization,
  value: string,
  samples: Samples,
  { session, keepFloat }: ValueOptions,
): AsyncGenerator<InferenceTensor, void, undefined> {
  const { only, name } = withOutput(graph, value);
  const model = exportQdq(only, quantization, keepFloat && { keepFloat }).result;
  for await (const { data, shape } of valuesOf(model, name, samples, session))
    yield { data: onGrid(data as Float32Array, quantization.get(value)), shape };
}

/**
 * Values rounded to the steps of a quantized tensor. Inside the graph a product is already rounded and does not change; at its end it is
 * not.
 */
export function onGrid(values: Float32Array, q: TensorQuantization | undefined): Float32Array {
  if (q === undefined) return values;
  const [first, last] = integerRange[q.dtype];
  const [scale, zero] = [q.scales[0]!, q.zeroPoints[0]!];
  const { min, max, round } = Math;
  const rounded = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++)
    rounded[i] = (min(last, max(first, round(values[i]! / scale) + zero)) - zero) * scale;
  return rounded;
}

/** The steps of an int8 tensor that values on its grid are. */
export function stepsOf(values: Float32Array, { scales, zeroPoints }: TensorQuantization): Int8Array {
  const [scale, zero] = [scales[0]!, zeroPoints[0]!];
  const steps = new Int8Array(values.length);
  for (let i = 0; i < values.length; i++) steps[i] = Math.round(values[i]! / scale) + zero;
  return steps;
}

/** The values that `stepsOf` was given. */
export function dequantized(steps: Int8Array, { scales, zeroPoints }: TensorQuantization): Float32Array {
  const [scale, zero] = [scales[0]!, zeroPoints[0]!];
  const values = new Float32Array(steps.length);
  for (let i = 0; i < steps.length; i++) values[i] = (steps[i]! - zero) * scale;
  return values;
}

function withOutput(graph: Graph, value: string): { only: Graph; name: string } {
  const only: Graph = { ...graph, outputs: new Map([[value, value]]) };
  return { only, name: outputName(only, value) };
}

async function* valuesOf(
  model: Model,
  name: string,
  samples: Samples,
  session: SessionOptions,
): AsyncGenerator<InferenceTensor, void, undefined> {
  const run = new InferenceModel(encodeModel(model), 'model for the values of a layer', session);
  try {
    for (const feeds of samples) yield (await run.run(feeds))[name]!;
  } finally {
    run.dispose();
  }
}

/** The values of the first `count` samples in one array, which is made once: there may not be room for two. */
async function joined(
  batches: AsyncIterable<InferenceTensor>,
  graph: Graph,
  value: string,
  count: number,
): Promise<Float32Array> {
  const { shape } = graph.types.get(value)!;
  const { factor } = sizeOf(shape);
  const all = new Float32Array(count * factor);
  let at = 0;
  for await (const { data } of batches) {
    const rows = bySample(data as Float32Array, shape, data.length / factor);
    const taken = rows.subarray(0, all.length - at);
    all.set(taken, at);
    at += taken.length;
    if (at === all.length) break;
  }
  return all;
}
