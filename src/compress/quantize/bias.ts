import type { OnProgress } from '../../base/progress.ts';
import { onnxContent } from '../../formats/onnx/protobuf.ts';
import { lowerToOnnx } from '../../formats/onnx/lower.ts';
import { withIntegerEnds } from '../../formats/onnx/qdq/integer-ends.ts';
import type { IntegerEnds } from '../../formats/onnx/qdq/integer-ends.ts';
import { readersOf } from '../../graph/passes/uses.ts';
import { layersOf, weightedNodes } from '../../graph/quantization.ts';
import type { Quantization, TensorQuantization } from '../../graph/quantization.ts';
import { symbolicSize } from '../../graph/shapes.ts';
import type { Graph, Node } from '../../graph/types.ts';
import type { InferenceTensor } from '../../runtime/inference.ts';
import { biasesOf, layerAlone } from './layers.ts';
import { isBatched, LayerInputs } from './layer-inputs.ts';
import { samplesIn } from './observe.ts';
import type { Feeds, CalibrationSamples } from './observe.ts';
import { BatchMeans, reducedGraph, statisticOf } from './reduced.ts';
import { roundedWeights, weightScalesOf, withChangedConstants } from './rounding.ts';
import type { OpenModel } from './open-model.ts';

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
  { open, means, keepFloat = () => false }: BiasOptions,
  onProgress?: OnProgress,
): Promise<Graph> {
  const layers = biasedLayers(graph, quantization, keepFloat);
  if (layers.length === 0) return graph;
  const wanted = layers.map(({ add }) => add.outputs[0]!);
  const expected = means ?? (await meansOf(graph, wanted, ofSamples(samples), open));
  let corrected = graph;
  const inputs = new LayerInputs(
    graph,
    layers.map(({ node }) => node.inputs[0]!),
    quantization,
    samples,
    { open, keepFloat },
  );
  for (const [i, { node, add, bias }] of layers.entries()) {
    const [input, weights] = node.inputs as [string, string];
    const output = add.outputs[0]!;
    const { data: values, type } = graph.constants.get(weights)!;
    const scales = weightScalesOf(quantization, weights)!;
    const integers = roundedWeights(values as Float32Array, type.shape as readonly number[], scales);
    const alone = layerAlone(withChangedConstants(graph, new Map([[weights, integers]])), [node, add], input, output);
    const { batches, ends } = inputs.next(corrected);
    // A layer is linear but for its bias: the mean of its results is its result for the mean of its inputs.
    const actual = isBatched(graph, input)
      ? await meansOf(alone, [output], [{ feeds: { [input]: await meanOf(batches, ends.get(input)) }, count: 1 }], open)
      : await meansOf(alone, [output], fedTo(input, graph, batches), open, ends);
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
  readonly open: OpenModel;
  /** Means of `biasedResults` of the float model, if calibration has found them. */
  readonly means?: ReadonlyMap<string, Float64Array>;
  /** True for layers that the file will compute in float: those before a layer feed it as they are, and none of them is corrected. */
  readonly keepFloat?: (layer: string) => boolean;
}

interface Batch {
  readonly feeds: Feeds;
  /** Samples in it. */
  readonly count: number;
}

function* ofSamples(samples: CalibrationSamples): Generator<Batch, void, undefined> {
  for (const feeds of samples) yield { feeds, count: samplesIn(feeds) };
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

/** The mean of batches [n, ...] over their samples, as a batch of one; `q`: scales of batches that hold integers. */
async function meanOf(batches: AsyncIterable<InferenceTensor>, q?: TensorQuantization): Promise<InferenceTensor> {
  let [sums, count, sample] = [new Float64Array(), 0, [] as readonly number[]];
  for await (const { data, shape } of batches) {
    if (count === 0) [sums, sample] = [new Float64Array(data.length / shape[0]!), shape.slice(1)];
    addRows(sums, data as Float32Array | Int8Array);
    count += shape[0]!;
  }
  const [scale, zero] = [q?.scales[0] ?? 1, q?.zeroPoints[0] ?? 0];
  const means = new Float32Array(sums.length);
  for (let i = 0; i < means.length; i++) means[i] = (sums[i]! / count - zero) * scale;
  return { data: means, shape: [1, ...sample] };
}

/** Adds rows of as many values as there are sums. Apart, as loops in an asynchronous function and `Float32Array.from` take six times as long. */
function addRows(sums: Float64Array, values: Float32Array | Int8Array): void {
  const size = sums.length;
  for (let at = 0; at < values.length; at += size) for (let i = 0; i < size; i++) sums[i]! += values[at + i]!;
}

interface BiasedLayer {
  readonly node: Node;
  /** Node that adds the bias. */
  readonly add: Node;
  readonly bias: string;
}

/** Results of the layers whose bias may be corrected, before the activation. */
export function biasedResults(graph: Graph): string[] {
  const biases = biasesOf(graph);
  const readers = readersOf(graph.nodes);
  return weightedNodes(graph).flatMap(({ outputs }) => {
    const bias = biases.get(outputs[0]!);
    return bias === undefined ? [] : [readers.get(bias)![0].outputs[0]!];
  });
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

/** The means of values of a graph over all batches, each weighted with its samples. `ends`: inputs that are fed as integers. */
async function meansOf(
  graph: Graph,
  values: readonly string[],
  batches: Iterable<Batch> | AsyncIterable<Batch>,
  open: OpenModel,
  ends: IntegerEnds = new Map(),
): Promise<Map<string, Float64Array>> {
  const reduced = reducedGraph(graph, new Map(values.map((name) => [name, ['Mean']])));
  const bytes = onnxContent(withIntegerEnds(lowerToOnnx(reduced), ends));
  const model = await open(bytes, 'bias correction graph');
  const means = new BatchMeans();
  try {
    for await (const { feeds, count } of batches) {
      const results = await model.run(feeds);
      means.add(
        count,
        values.map((name) => [name, results[statisticOf('Mean', name)]!.data as Float32Array]),
      );
    }
  } finally {
    model.dispose();
  }
  return means.result();
}
