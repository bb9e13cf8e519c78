import { encodeModel } from '../../formats/onnx/protobuf.ts';
import { lowerToOnnx, outputName } from '../../formats/onnx/lower.ts';
import { weightedNodes } from '../../graph/quantization.ts';
import type { Quantization } from '../../graph/quantization.ts';
import { rewrite } from '../../graph/passes/rewrite.ts';
import { usesOf } from '../../graph/passes/uses.ts';
import type { Graph, Node } from '../../graph/types.ts';
import { InferenceModel } from '../../runtime/inference.ts';
import type { SessionOptions } from '../../runtime/session.ts';
import type { Samples } from './observe.ts';
import { rounded, weightScalesOf, withConstants } from './rounding.ts';

/**
 * Rounded weights move the mean of what a layer gives; its bias takes that back (Nagel et al. 2019, "Data-free quantization
 * through weight equalization and bias correction", section 4.2, the empirical form): b' = b - E[(W' - W) x], the mean taken
 * over samples and positions, with x as the float graph has it. All layers are corrected from one run over the samples.
 */
export async function correctBias(
  graph: Graph,
  quantization: Quantization,
  samples: Samples,
  session: SessionOptions,
): Promise<Graph> {
  const biases = biasesOf(graph);
  const layers = weightedNodes(graph).filter(
    ({ inputs, outputs }) => biases.has(outputs[0]!) && weightScalesOf(quantization, inputs[1]!) !== undefined,
  );
  if (layers.length === 0) return graph;
  const shifts = await meansOf(shiftGraph(graph, quantization, layers), samples, session);
  const changed = new Map<string, Float32Array>();
  for (const { outputs } of layers) {
    const name = biases.get(outputs[0]!)!;
    const shift = shifts.get(outputs[0]!)!;
    const bias = graph.constants.get(name)!.data as Float32Array;
    changed.set(
      name,
      bias.map((value, channel) => value - shift[channel]!),
    );
  }
  return withConstants(graph, changed);
}

/** By the result of a layer before its bias: the stored bias, one value for each channel, that nothing else reads. */
export function biasesOf(graph: Graph): ReadonlyMap<string, string> {
  const uses = usesOf(graph);
  const found = new Map<string, string>();
  for (const { op, inputs, outputs } of graph.nodes) {
    if (op !== 'Add') continue;
    const channels = graph.types.get(outputs[0]!)!.shape.at(-1);
    const isBias = (name: string): boolean => {
      const constant = graph.constants.get(name);
      const shape = constant?.type.shape ?? [];
      return (
        constant?.data instanceof Float32Array && shape.length === 1 && shape[0] === channels && uses.get(name) === 1
      );
    };
    const [a, b] = inputs as [string, string];
    if (isBias(b)) found.set(a, b);
    else if (isBias(a)) found.set(b, a);
  }
  return found;
}

/** The float graph with, for each layer, the mean over a batch of what the rounding error of its weights gives. */
function shiftGraph(graph: Graph, quantization: Quantization, layers: readonly Node[]): Graph {
  const wanted = new Set(layers.map(({ outputs }) => outputs[0]!));
  return rewrite({ ...graph, outputs: new Map() }, (node, builder) => {
    const output = node.outputs[0]!;
    if (!wanted.has(output)) return undefined;
    const { data, type } = graph.constants.get(node.inputs[1]!)!;
    const weights = data as Float32Array;
    const after = rounded(weights, type.shape as readonly number[], weightScalesOf(quantization, node.inputs[1]!)!);
    const error = builder.constant(
      type,
      after.map((value, i) => value - weights[i]!),
    );
    const shift = builder.op(node.op, [node.inputs[0]!, error], node.attrs);
    const axes = graph.types
      .get(output)!
      .shape.slice(0, -1)
      .map((_, axis) => axis);
    builder.output(output, builder.op('Mean', [shift], { axes, keepDims: false }));
    return undefined;
  });
}

/** The means of a graph's outputs over all batches, each weighted with its samples. */
async function meansOf(graph: Graph, samples: Samples, session: SessionOptions): Promise<Map<string, Float64Array>> {
  const model = new InferenceModel(encodeModel(lowerToOnnx(graph)), 'bias correction graph', session);
  const sums = new Map<string, Float64Array>();
  let total = 0;
  try {
    for (const feeds of samples) {
      const count = Object.values(feeds)[0]!.shape[0]!;
      total += count;
      const results = await model.run(feeds);
      for (const name of graph.outputs.keys()) {
        const mean = results[outputName(graph, name)]!.data as Float32Array;
        const sum = sums.get(name) ?? new Float64Array(mean.length);
        mean.forEach((value, i) => (sum[i]! += value * count));
        sums.set(name, sum);
      }
    }
  } finally {
    model.dispose();
  }
  return new Map([...sums].map(([name, sum]) => [name, sum.map((value) => value / total)]));
}
