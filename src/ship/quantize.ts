import type { OnProgress } from '../base/progress.ts';
import { RandomStream } from '../base/random.ts';
import { calibrationBatch } from '../compress/quantize/observe.ts';
import type { CalibrationSamples } from '../compress/quantize/observe.ts';
import { quantizableLayers } from '../compress/quantize/layers.ts';
import type { Prepared } from '../compress/quantize/prepare.ts';
import { layerSensitivity } from '../compress/quantize/sensitivity.ts';
import { viewOf } from '../data/batches/batches.ts';
import type { OnnxContent } from '../formats/onnx/large.ts';
import { onnxContent } from '../formats/onnx/protobuf.ts';
import { exportQdq } from '../formats/onnx/qdq/qdq.ts';
import type { Graph } from '../graph/types.ts';
import type { ShipContext } from './context.ts';
import { sessionOptionsOf } from '../runtime/recipe-options.ts';
import { modelFeeds } from '../runtime/feeds.ts';
import { isFrontEnd } from '../graph/front-end.ts';
import { taskOf } from '../tasks/registry.ts';
import { idOf } from '../report/artifact.ts';
import type { QuantizationSensitivity } from '../report/types.ts';
import type { ExportedModel } from './export.ts';

const CALIBRATION_BATCH = 32;

/** Samples of the training split, drawn once for the recipe, as they are without augmentation; made as they are asked for. */
export function calibrationSamples(
  { recipe, data }: Pick<ShipContext, 'recipe' | 'data'>,
  graph: Graph,
  count: number,
): CalibrationSamples {
  const { train } = data;
  const order = new RandomStream(recipe.seed, 'calibration').permutation(train.count);
  const rows = order.slice(0, Math.min(count, train.count));
  const ends = { inputs: [...graph.inputs].map(([name, { dtype }]) => ({ name, dtype })) };
  const size = calibrationBatch(graph, CALIBRATION_BATCH);
  return {
    length: Math.ceil(rows.length / size),
    *[Symbol.iterator]() {
      for (let at = 0; at < rows.length; at += size) {
        const some = rows.slice(at, at + size);
        const x = viewOf(train, some, { seed: 0, view: 0, augment: [] });
        yield modelFeeds(ends, x, [some.length, ...train.sampleShape], train.inputs);
      }
    },
  };
}

/**
 * Samples for the table of layers, enough to rank them: an answer with thousands of numbers, such as boxes and scores at all points of a picture, says as
 * much about the noise of a layer as many answers of few numbers, and each layer of such a model answers all samples.
 */
const [RANKED, LEAST_RANKED, RANKED_NUMBERS] = [128, 32, 2 ** 17];

/** Number of samples by which layers of a model with answers of this many numbers are ranked. */
export function rankedSamples(width: number): number {
  return Math.min(RANKED, Math.max(LEAST_RANKED, Math.ceil(RANKED_NUMBERS / width)));
}

/** Loss of score that each layer causes in int8, the worst first. */
export async function rankLayers(
  { recipe, data }: Pick<ShipContext, 'recipe' | 'data'>,
  { float, quantization }: Prepared,
  model: ExportedModel,
  onProgress: OnProgress,
): Promise<QuantizationSensitivity> {
  const { x, shape, inputs, answers } = model.reference;
  const task = taskOf(data.validation);
  const n = Math.min(rankedSamples(task.width), shape[0]!);
  const part = (values: Float32Array): Float32Array => values.subarray(0, (values.length / shape[0]!) * n);
  const targets = data.validation.targets.subarray(0, n * task.targetWidth);
  const samples = { x: part(x), shape: [n, ...shape.slice(1)], inputs, answers: part(answers), targets };
  const write = (keepFloat: (layer: string) => boolean): OnnxContent =>
    onnxContent(exportQdq(float, quantization, { keepFloat }).result);
  const session = sessionOptionsOf(recipe);
  const layers = quantizableLayers(float).filter((layer) => !isFrontEnd(layer));
  const rows = await layerSensitivity(layers, write, samples, task, session, onProgress);
  const score = task.scoreOf(samples.answers, targets);
  return { model: idOf(model), precision: 'int8', samples: n, score, rows };
}

/** The numbers of layers to keep in float, one after another until the accuracy holds: few first, then in larger steps. */
export function* growing(layers: number): Generator<number> {
  for (let kept = 1; kept < layers; kept = Math.max(kept + 1, Math.floor(kept * 1.5))) yield kept;
}
