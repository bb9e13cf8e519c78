import type { OnProgress } from '../../base/progress.ts';
import { onnxContent } from '../../formats/onnx/protobuf.ts';
import { lowerToOnnx } from '../../formats/onnx/lower.ts';
import { symbolicSize } from '../../graph/shapes.ts';
import type { Graph } from '../../graph/types.ts';
import type { InferenceTensor } from '../../runtime/inference.ts';
import { HistogramBuilder } from './histogram.ts';
import type { Histogram, ActivationRange } from './histogram.ts';
import { insideConvolutions } from './layers.ts';
import { beforeSoftmax, unmasked } from './masks.ts';
import { BatchMeans, reducedGraph, statisticOf } from './reduced.ts';
import type { OpenModel } from './open-model.ts';

export type Feeds = Readonly<Record<string, InferenceTensor>>;

/** Feeds of a model by the names of its inputs, batch by batch. They are read several times, each time from the first batch on. */
export interface CalibrationSamples extends Iterable<Feeds> {
  /** Batches. */
  readonly length: number;
}

/** Most bytes that all values of a batch may take together: half a gigabyte. */
const MOST_BYTES = 2 ** 29;

/**
 * Number of samples that a graph is observed on at once: `most`, halved until all activations fit. It follows from the graph alone, so
 * every machine calibrates alike.
 */
export function calibrationBatch(graph: Graph, most: number): number {
  const each = activationsOf(graph).reduce(
    (sum, name) => sum + 4 * symbolicSize(graph.types.get(name)!.shape).factor,
    0,
  );
  let batch = most;
  while (batch > 1 && batch * each > MOST_BYTES) batch = Math.ceil(batch / 2);
  return batch;
}

export interface Observed {
  readonly histograms: ReadonlyMap<string, Histogram>;
  /** Values that were infinite or no number. */
  readonly notFinite: readonly string[];
  /** Values that hold the numbers of attention masks, which the histograms leave out. */
  readonly masked: ReadonlySet<string>;
  /** Means of the values that were asked for, by channel. */
  readonly means: ReadonlyMap<string, Float64Array>;
}

/** The float32 values that a graph computes. */
function activationsOf(graph: Graph): string[] {
  return graph.nodes.flatMap(({ outputs }) => outputs.filter((name) => graph.types.get(name)!.dtype === 'float32'));
}

/** Histograms of every activation of an inference graph, and the means of some, which ONNX Runtime computes. Values beyond `limits` count as if they were at the limit. */
export async function observe(
  graph: Graph,
  samples: CalibrationSamples,
  { limits, open, means = [], onProgress }: ObserveOptions,
): Promise<Observed> {
  const [maskable, masked] = [beforeSoftmax(graph), new Set<string>()];
  const builders = new Map<string, HistogramBuilder>();
  const notFinite = new Set<string>();
  const count = (name: string, values: Float32Array): void => {
    const rest = maskable.has(name) ? unmasked(values) : values;
    if (rest.length < values.length) masked.add(name);
    const builder = builders.get(name) ?? new HistogramBuilder(limits.get(name));
    builders.set(name, builder);
    if (!builder.add(rest)) notFinite.add(name);
  };
  const inside = insideConvolutions(graph);
  const seen = activationsOf(graph).filter((name) => !inside.has(name));
  const found = new BatchMeans();
  const observed = reducedGraph(graph, new Map(means.map((name) => [name, ['Mean']])));
  let batches = 0;
  await visit(withValues(observed, seen), samples, open, (feeds, results) => {
    for (const [name, values] of floatsOf(feeds)) count(name, values);
    for (const name of seen) count(name, results(name));
    found.add(
      samplesIn(feeds),
      means.map((name) => [name, results(statisticOf('Mean', name))]),
    );
    onProgress?.('calibrating, batch', ++batches, samples.length);
  });
  for (const name of notFinite) builders.delete(name);
  const histograms = new Map([...builders].map(([name, builder]) => [name, builder.result()]));
  return { histograms, notFinite: [...notFinite], masked, means: found.result() };
}

interface ObserveOptions {
  readonly limits: ReadonlyMap<string, ActivationRange>;
  readonly open: OpenModel;
  /** Values whose means are wanted. */
  readonly means?: readonly string[];
  readonly onProgress?: OnProgress | undefined;
}

function withValues(graph: Graph, values: readonly string[]): Graph {
  return { ...graph, outputs: new Map([...graph.outputs, ...values.map((name) => [name, name] as const)]) };
}

function floatsOf(feeds: Feeds): [string, Float32Array][] {
  return Object.entries(feeds).flatMap(([name, { data }]) => (data instanceof Float32Array ? [[name, data]] : []));
}

/** Samples of a batch. */
export function samplesIn(feeds: Feeds): number {
  return Object.values(feeds)[0]!.shape[0]!;
}

/** Hands out the feeds and the results of a graph, batch by batch. */
async function visit(
  graph: Graph,
  samples: CalibrationSamples,
  open: OpenModel,
  see: (feeds: Feeds, results: (output: string) => Float32Array) => void,
): Promise<void> {
  const model = await open(onnxContent(lowerToOnnx(graph)), 'calibration graph');
  try {
    for (const feeds of samples) {
      const results = await model.run(feeds);
      see(feeds, (output) => results[output]!.data as Float32Array);
    }
  } finally {
    model.dispose();
  }
}
