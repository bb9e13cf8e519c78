import { lowerToOnnx, outputName } from '../../formats/onnx/lower.ts';
import type { Model } from '../../formats/onnx/model.ts';
import { encodeModel } from '../../formats/onnx/protobuf.ts';
import { exportQdq } from '../../formats/onnx/qdq/qdq.ts';
import { integerRange } from '../../graph/quantization.ts';
import type { Quantization } from '../../graph/quantization.ts';
import type { Graph } from '../../graph/types.ts';
import { InferenceModel } from '../../runtime/inference.ts';
import type { SessionOptions } from '../../runtime/session.ts';
import type { Samples } from './observe.ts';

/** A value of the float graph on all samples: [samples, ...]. */
export async function floatValues(graph: Graph, value: string, samples: Samples, session: SessionOptions) {
  const { only, name } = withOutput(graph, value);
  return valuesOf(lowerToOnnx(only), name, samples, session);
}

/** The same of the int8 model, as the layer that reads it is given it. */
export async function quantizedValues(
  graph: Graph,
  quantization: Quantization,
  value: string,
  samples: Samples,
  { session, keepFloat }: { readonly session: SessionOptions; readonly keepFloat?: (layer: string) => boolean },
): Promise<Float32Array> {
  const { only, name } = withOutput(graph, value);
  const values = await valuesOf(
    exportQdq(only, quantization, keepFloat && { keepFloat }).result,
    name,
    samples,
    session,
  );
  return onGrid(values, quantization, value);
}

/** What is on the grid stays there: at the end of a graph a product is not rounded, inside of it is. */
function onGrid(values: Float32Array, quantization: Quantization, name: string): Float32Array {
  const q = quantization.get(name);
  if (q === undefined) return values;
  const [first, last] = integerRange[q.dtype];
  const [scale, zero] = [q.scales[0]!, q.zeroPoints[0]!];
  return values.map((value) => (Math.min(last, Math.max(first, Math.round(value / scale) + zero)) - zero) * scale);
}

function withOutput(graph: Graph, value: string): { only: Graph; name: string } {
  const only: Graph = { ...graph, outputs: new Map([[value, value]]) };
  return { only, name: outputName(only, value) };
}

async function valuesOf(model: Model, name: string, samples: Samples, session: SessionOptions): Promise<Float32Array> {
  const run = new InferenceModel(encodeModel(model), 'model for the values of a layer', session);
  const parts: Float32Array[] = [];
  try {
    for (const feeds of samples) parts.push(((await run.run(feeds))[name]!.data as Float32Array).slice());
  } finally {
    run.dispose();
  }
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
