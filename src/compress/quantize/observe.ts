import type { OnProgress } from '../../base/progress.ts';
import { onnxContent } from '../../formats/onnx/protobuf.ts';
import { lowerToOnnx } from '../../formats/onnx/lower.ts';
import { symbolicSize } from '../../graph/shapes.ts';
import type { Graph } from '../../graph/types.ts';
import { InferenceModel } from '../../runtime/inference.ts';
import type { InferenceTensor } from '../../runtime/inference.ts';
import type { SessionOptions } from '../../runtime/onnxruntime/session.ts';
import type { Histogram, ActivationRange } from './histogram.ts';
import { addTo, emptyHistogram, rangeOf } from './histogram.ts';
import { insideConvolutions } from './layers.ts';
import { beforeSoftmax, unmasked } from './masks.ts';
import { BatchMeans, reducedGraph, statisticOf } from './reduced.ts';
import type { Statistic } from './reduced.ts';
import { withinLimits } from './saturation.ts';

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

/**
 * Ranges and histograms of every activation of an inference graph, and the means of some. The samples are run twice: once for the ranges and means,
 * which ONNX Runtime computes, once to count. Values beyond `limits` count as if they were at the limit.
 */
export async function observe(
  graph: Graph,
  samples: CalibrationSamples,
  { limits, session, means = [], onProgress }: ObserveOptions,
): Promise<Observed> {
  let batches = 0;
  const onBatch = (): void => onProgress?.('calibrating, batch', ++batches, 2 * samples.length);
  const ranges = new Map<string, ActivationRange>();
  const notFinite = new Set<string>();
  const [maskable, masked] = [beforeSoftmax(graph), new Set<string>()];
  const relevant = (name: string, values: Float32Array): Float32Array => {
    if (!maskable.has(name)) return values;
    const rest = unmasked(values);
    if (rest.length < values.length) masked.add(name);
    return rest;
  };
  const widen = (name: string, values: Float32Array): void => {
    const range = rangeOf(values, ranges.get(name));
    if (range === undefined) notFinite.add(name);
    else ranges.set(name, range);
  };
  const inside = insideConvolutions(graph);
  const seen = activationsOf(graph).filter((name) => !inside.has(name));
  const whole = seen.filter((name) => maskable.has(name));
  const extremes = seen.filter((name) => !maskable.has(name));
  const asked = new Map<string, Statistic[]>(extremes.map((name) => [name, ['Min', 'Max']]));
  for (const name of means) asked.set(name, [...(asked.get(name) ?? []), 'Mean']);
  const found = new BatchMeans();
  await visit(withValues(reducedGraph(graph, asked), whole), samples, session, (feeds, results) => {
    for (const [name, values] of floatsOf(feeds)) widen(name, relevant(name, values));
    for (const name of whole) widen(name, relevant(name, results(name)));
    for (const name of extremes)
      for (const end of ['Min', 'Max'] as const) widen(name, results(statisticOf(end, name)));
    found.add(
      samplesIn(feeds),
      means.map((name) => [name, results(statisticOf('Mean', name))]),
    );
    onBatch();
  });
  for (const name of notFinite) ranges.delete(name);
  const histograms = new Map(
    [...ranges].map(([name, range]) => [name, emptyHistogram(withinLimits(range, limits.get(name)))]),
  );
  await visit(withValues({ ...graph, outputs: new Map() }, seen), samples, session, (feeds, results) => {
    for (const [name, values] of [...floatsOf(feeds), ...seen.map((name) => [name, results(name)] as const)]) {
      const histogram = histograms.get(name);
      // The extremes of ONNX Runtime pass over NaN.
      if (histogram !== undefined && !addTo(histogram, relevant(name, values))) notFinite.add(name);
    }
    onBatch();
  });
  for (const name of notFinite) histograms.delete(name);
  return { histograms, notFinite: [...notFinite], masked, means: found.result() };
}

interface ObserveOptions {
  readonly limits: ReadonlyMap<string, ActivationRange>;
  readonly session: SessionOptions;
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
  session: SessionOptions,
  see: (feeds: Feeds, results: (output: string) => Float32Array) => void,
): Promise<void> {
  const model = new InferenceModel(onnxContent(lowerToOnnx(graph)), 'calibration graph', session);
  try {
    for (const feeds of samples) {
      const results = await model.run(feeds);
      see(feeds, (output) => results[output]!.data as Float32Array);
    }
  } finally {
    model.dispose();
  }
}
