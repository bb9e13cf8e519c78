import type { OnProgress } from '../../base/progress.ts';
import { encodeModel } from '../../formats/onnx/protobuf.ts';
import { lowerToOnnx, outputName } from '../../formats/onnx/lower.ts';
import { rewrite } from '../../graph/passes/rewrite.ts';
import { readersOf } from '../../graph/passes/uses.ts';
import { layersOf, weightedNodes } from '../../graph/quantization.ts';
import type { Quantization } from '../../graph/quantization.ts';
import { symbolicSize } from '../../graph/shapes.ts';
import type { Graph, Node } from '../../graph/types.ts';
import { InferenceModel } from '../../runtime/inference.ts';
import type { InferenceTensor } from '../../runtime/inference.ts';
import type { SessionOptions } from '../../runtime/onnxruntime/session.ts';
import { biasesOf, layerAlone } from './layers.ts';
import { LayerInputs } from './layer-inputs.ts';
import type { Feeds, CalibrationSamples } from './observe.ts';
import { roundedWeights, weightScalesOf, withChangedConstants } from './rounding.ts';

/**
 * Rounding moves the mean of what a layer gives; its bias takes that back (Nagel et al. 2019, "Data-free quantization through
 * weight equalization and bias correction", section 4.2, the empirical form): b' = b + E[y] - E[y'], the means taken over
 * samples and positions before the activation. y is the float model's, y' that of rounded weights on what the int8 model,
 * corrected so far, feeds the layer: so layers are corrected in the order in which they are computed, each for what weights
 * and activations before it left too.
 */
export async function correctBias(
  graph: Graph,
  quantization: Quantization,
  samples: CalibrationSamples,
  { session, keepFloat = () => false }: BiasOptions,
  onProgress?: OnProgress,
): Promise<Graph> {
  const layers = biasedLayers(graph, quantization, keepFloat);
  if (layers.length === 0) return graph;
  const expected = await meansOf(
    meanGraph(
      graph,
      layers.map(({ add }) => add.outputs[0]!),
    ),
    ofSamples(samples),
    session,
  );
  let corrected = graph;
  const inputs = new LayerInputs(
    graph,
    layers.map(({ node }) => node.inputs[0]!),
    quantization,
    samples,
    { session, keepFloat },
  );
  for (const [i, { node, add, bias }] of layers.entries()) {
    const [input, weights] = node.inputs as [string, string];
    const output = add.outputs[0]!;
    const { data: values, type } = graph.constants.get(weights)!;
    const scales = weightScalesOf(quantization, weights)!;
    const integers = roundedWeights(values as Float32Array, type.shape as readonly number[], scales);
    const alone = layerAlone(withChangedConstants(graph, new Map([[weights, integers]])), [node, add], input, output);
    const given = fedTo(input, graph, inputs.next(corrected));
    const actual = await meansOf(meanGraph(alone, [output]), given, session);
    const [e, a] = [expected.get(output)!, actual.get(output)!];
    const before = graph.constants.get(bias)!.data as Float32Array;
    const after = before.map((value, channel) => value + e[channel]! - a[channel]!);
    // Values that are infinite somewhere have no mean to correct.
    if (after.every(Number.isFinite)) corrected = withChangedConstants(corrected, new Map([[bias, after]]));
    onProgress?.('correcting biases, layer', i + 1, layers.length);
  }
  return corrected;
}

interface BiasOptions {
  readonly session: SessionOptions;
  /** True for layers that the file will compute in float: those before a layer feed it as they are, and none of them is corrected. */
  readonly keepFloat?: (layer: string) => boolean;
}

interface Batch {
  readonly feeds: Feeds;
  /** Samples in it. */
  readonly count: number;
}

function* ofSamples(samples: CalibrationSamples): Generator<Batch, void, undefined> {
  for (const feeds of samples) yield { feeds, count: Object.values(feeds)[0]!.shape[0]! };
}

/** Inputs of a layer, batch by batch. The batch may be any of its axes, or a part of one, so samples are counted by values. */
async function* fedTo(
  input: string,
  graph: Graph,
  batches: AsyncIterable<InferenceTensor>,
): AsyncGenerator<Batch, void, undefined> {
  const { factor } = symbolicSize(graph.types.get(input)!.shape);
  for await (const batch of batches) yield { feeds: { [input]: batch }, count: batch.data.length / factor };
}

interface BiasedLayer {
  readonly node: Node;
  /** Node that adds the bias. */
  readonly add: Node;
  readonly bias: string;
}

function biasedLayers(graph: Graph, quantization: Quantization, keepFloat: (layer: string) => boolean): BiasedLayer[] {
  const biases = biasesOf(graph);
  const readers = readersOf(graph.nodes);
  const layerOf = layersOf(graph);
  return weightedNodes(graph).flatMap((node) => {
    if (keepFloat(layerOf.get(node.outputs[0]!)!)) return [];
    const bias = biases.get(node.outputs[0]!);
    if (bias === undefined || weightScalesOf(quantization, node.inputs[1]!) === undefined) return [];
    if (graph.constants.has(node.inputs[0]!)) return [];
    // Nothing else reads a bias.
    return [{ node, add: readers.get(bias)![0], bias }];
  });
}

/** Graph with the mean of each named value over a batch, for each channel (its last axis). */
function meanGraph(graph: Graph, values: readonly string[]): Graph {
  const wanted = new Set(values);
  return rewrite({ ...graph, outputs: new Map() }, (node, builder) => {
    const output = node.outputs[0]!;
    if (!wanted.has(output)) return undefined;
    builder.node(node.op, node.inputs, node.attrs, { layer: node.layer, outputs: node.outputs });
    const axes = graph.types
      .get(output)!
      .shape.slice(0, -1)
      .map((_, axis) => axis);
    builder.output(output, builder.op('Mean', [output], { axes, keepDims: false }));
    return [output];
  });
}

/** The means of a graph's outputs over all batches, each weighted with its samples. */
async function meansOf(
  graph: Graph,
  batches: Iterable<Batch> | AsyncIterable<Batch>,
  session: SessionOptions,
): Promise<Map<string, Float64Array>> {
  const model = new InferenceModel(encodeModel(lowerToOnnx(graph)), 'bias correction graph', session);
  const sums = new Map<string, Float64Array>();
  let total = 0;
  try {
    for await (const { feeds, count } of batches) {
      total += count;
      const results = await model.run(feeds);
      for (const name of graph.outputs.keys()) {
        const mean = results[outputName(graph, name)]!.data as Float32Array;
        const sum = sums.get(name) ?? new Float64Array(mean.length);
        mean.forEach((value, channel) => (sum[channel]! += value * count));
        sums.set(name, sum);
      }
    }
  } finally {
    model.dispose();
  }
  return new Map([...sums].map(([name, sum]) => [name, sum.map((value) => value / total)]));
}
