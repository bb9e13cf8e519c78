import type { OnProgress } from '../../base/progress.ts';
import { encodeModel } from '../../formats/onnx/protobuf.ts';
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
}

/** The float32 values that a graph computes. */
function activationsOf(graph: Graph): string[] {
  return graph.nodes.flatMap(({ outputs }) => outputs.filter((name) => graph.types.get(name)!.dtype === 'float32'));
}

/**
 * Ranges and histograms of every activation of an inference graph. The samples are run twice: once for the ranges, once to count. Values beyond
 * `limits` count as if they were at the limit.
 */
export async function observe(
  graph: Graph,
  samples: CalibrationSamples,
  limits: ReadonlyMap<string, ActivationRange>,
  session: SessionOptions,
  onProgress?: OnProgress,
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
  await visit(
    graph,
    samples,
    session,
    (name, values) => {
      const range = rangeOf(relevant(name, values), ranges.get(name));
      if (range === undefined) notFinite.add(name);
      else ranges.set(name, range);
    },
    onBatch,
  );
  for (const name of notFinite) ranges.delete(name);
  const histograms = new Map(
    [...ranges].map(([name, range]) => [name, emptyHistogram(withinLimits(range, limits.get(name)))]),
  );
  await visit(
    graph,
    samples,
    session,
    (name, values) => {
      const histogram = histograms.get(name);
      if (histogram !== undefined) addTo(histogram, relevant(name, values));
    },
    onBatch,
  );
  return { histograms, notFinite: [...notFinite], masked };
}

/** Hands out every float32 value of every batch that a file may have, fed values included. */
async function visit(
  graph: Graph,
  samples: CalibrationSamples,
  session: SessionOptions,
  see: (name: string, values: Float32Array) => void,
  onBatch: () => void = () => undefined,
): Promise<void> {
  const inside = insideConvolutions(graph);
  const values = activationsOf(graph).filter((name) => !inside.has(name));
  const whole: Graph = { ...graph, outputs: new Map(values.map((name) => [name, name])) };
  const model = new InferenceModel(encodeModel(lowerToOnnx(whole)), 'calibration graph', session);
  try {
    for (const feeds of samples) {
      for (const [name, { data }] of Object.entries(feeds)) if (data instanceof Float32Array) see(name, data);
      const results = await model.run(feeds);
      for (const name of values) see(name, results[name]!.data as Float32Array);
      onBatch();
    }
  } finally {
    model.dispose();
  }
}
