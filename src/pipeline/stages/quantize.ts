import { nearest, UserError } from '../../base/errors.ts';
import { RandomStream } from '../../base/random.ts';
import { correctBias } from '../../compress/quantize/bias.ts';
import { equalize } from '../../compress/quantize/equalize.ts';
import type { Samples } from '../../compress/quantize/observe.ts';
import { quantize } from '../../compress/quantize/ptq.ts';
import { layerSensitivity, quantizableLayers } from '../../compress/quantize/sensitivity.ts';
import { viewOf } from '../../data/batches.ts';
import { encodeModel } from '../../formats/onnx/protobuf.ts';
import { exportQdq } from '../../formats/onnx/qdq/qdq.ts';
import type { Skipped } from '../../formats/skipped.ts';
import type { Quantization } from '../../graph/quantization.ts';
import type { Graph } from '../../graph/types.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { ShipContext } from '../ship-context.ts';
import { sessionOptionsOf } from '../../runtime/recipe-options.ts';
import { agreement, classesOf } from '../../measure/accuracy.ts';
import { idOf } from '../../report/artifact.ts';
import type { QuantizationSensitivity } from '../../report/types.ts';
import type { ExportedModel } from './export.ts';

export type QuantizeRecipe = Recipe['quantize'][number];

/** A graph that is ready to be written in integers. */
export interface Prepared {
  readonly graph: Graph;
  /** The same with weights and biases as float computes with them. */
  readonly float: Graph;
  readonly quantization: Quantization;
  readonly skipped: readonly Skipped[];
}

export type PtqRecipe = Pick<QuantizeRecipe, 'scheme' | 'calibrator' | 'equalize' | 'biasCorrection' | 'symmetric'>;

/** Equalized, calibrated and corrected, as a step of the recipe asks. */
export async function prepareInt8(
  recipe: Pick<Recipe, 'device' | 'threads'>,
  graph: Graph,
  step: PtqRecipe,
  samples: Samples,
): Promise<Prepared> {
  const session = sessionOptionsOf(recipe);
  const { calibrator, symmetric } = step;
  const activationBits = step.scheme === 'int16x8' ? 16 : 8;
  const equal = step.equalize ? equalize(graph).result : graph;
  const { result, skipped } = await quantize(equal, samples, { calibrator, session, symmetric, activationBits });
  // The correction runs the layers before one in ONNX's 8 bits, which is not what 16-bit activations come to.
  const isCorrected = step.biasCorrection && activationBits === 8;
  const corrected = isCorrected ? await correctBias(equal, result, samples, session) : equal;
  return { graph: corrected, float: equal, quantization: result, skipped };
}

const CALIBRATION_BATCH = 32;

/** Samples of the training split, drawn once for the recipe, as they are without augmentation. */
export function calibrationSamples(
  { recipe, data }: Pick<ShipContext, 'recipe' | 'data'>,
  graph: Graph,
  count: number,
): Samples {
  const { train } = data;
  const order = new RandomStream(recipe.seed, 'calibration').permutation(train.count);
  const rows = order.slice(0, Math.min(count, train.count));
  const [input] = graph.inputs.keys();
  return Array.from({ length: Math.ceil(rows.length / CALIBRATION_BATCH) }, (_, i) => {
    const some = rows.slice(i * CALIBRATION_BATCH, (i + 1) * CALIBRATION_BATCH);
    const x = viewOf(train, some, { seed: 0, view: 0, augment: [] });
    return { [input!]: { data: x, shape: [some.length, ...train.sampleShape] } };
  });
}

/** The layers that a step keeps in float; `UserError` for one that the model does not have. */
export function keptFloat({ keepFloat }: { readonly keepFloat: readonly string[] }, graph: Graph): string[] {
  const known = new Set(graph.nodes.map(({ layer, outputs }) => layer ?? outputs[0]!));
  for (const name of keepFloat) {
    if (known.has(name)) continue;
    const meant = nearest(name, known);
    throw new UserError(
      `quantize.keepFloat: expected a layer of the model, received ${name}`,
      meant === undefined ? `Layers with weights: ${quantizableLayers(graph).join(', ')}.` : `Did you mean ${meant}?`,
    );
  }
  return [...keepFloat];
}

/** Samples for the table of layers: enough to rank them. */
const RANKED = 128;

/** Which layer loses how much in int8, the worst first. */
export async function rankLayers(
  { recipe, data }: Pick<ShipContext, 'recipe' | 'data'>,
  { float, quantization }: Prepared,
  model: ExportedModel,
): Promise<QuantizationSensitivity> {
  const { x, shape, logits } = model.reference;
  const n = Math.min(RANKED, shape[0]!);
  const part = (values: Float32Array): Float32Array => values.subarray(0, (values.length / shape[0]!) * n);
  const labels = data.validation.labels.subarray(0, n);
  const samples = { x: part(x), shape: [n, ...shape.slice(1)], logits: part(logits), labels };
  const write = (keepFloat: (layer: string) => boolean): Uint8Array =>
    encodeModel(exportQdq(float, quantization, { keepFloat }).result);
  const rows = await layerSensitivity(quantizableLayers(float), write, samples, sessionOptionsOf(recipe));
  const accuracy = agreement(classesOf(samples.logits, data.classNames.length), Int32Array.from(labels));
  return { model: idOf(model), precision: 'int8', samples: n, accuracy, rows };
}

/** The numbers of layers to keep in float, one after another until the accuracy holds: few first, then in larger steps. */
export function* growing(layers: number): Generator<number> {
  for (let kept = 1; kept < layers; kept = Math.max(kept + 1, Math.floor(kept * 1.5))) yield kept;
}
