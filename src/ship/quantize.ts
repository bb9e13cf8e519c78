import { nearest, UserError } from '../base/errors.ts';
import type { OnProgress } from '../base/progress.ts';
import { RandomStream } from '../base/random.ts';
import { biasedResults, correctBias } from '../compress/quantize/bias.ts';
import { calibrationBatch } from '../compress/quantize/observe.ts';
import type { CalibrationSamples } from '../compress/quantize/observe.ts';
import { quantize, weightScales } from '../compress/quantize/ptq.ts';
import { layerSensitivity, quantizableLayers } from '../compress/quantize/sensitivity.ts';
import { viewOf } from '../data/batches/batches.ts';
import type { OnnxContent } from '../formats/onnx/large.ts';
import { onnxContent } from '../formats/onnx/protobuf.ts';
import { exportQdq } from '../formats/onnx/qdq/qdq.ts';
import type { Skipped } from '../base/skipped.ts';
import { isLayer } from '../graph/quantization.ts';
import type { DenseScales, Quantization } from '../graph/quantization.ts';
import type { Graph, Node } from '../graph/types.ts';
import type { RecipeCalibrator } from '../recipe/schema/compress.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { ShipContext } from './context.ts';
import { sessionOptionsOf } from '../runtime/recipe-options.ts';
import { modelFeeds } from '../runtime/feeds.ts';
import { isFrontEnd } from '../networks/sound/log-mel.ts';
import { taskOf } from '../tasks/registry.ts';
import { idOf } from '../report/artifact.ts';
import type { QuantizationSensitivity } from '../report/types.ts';
import type { Task } from '../tasks/task.ts';
import type { ExportedModel } from './export.ts';
import { producersOf } from '../graph/passes/uses.ts';

/** A graph that is ready to be written in integers. */
export interface Prepared {
  readonly graph: Graph;
  /** The same with weights and biases as float computes with them. */
  readonly float: Graph;
  readonly quantization: Quantization;
  /** Means of `biasedResults` in float. */
  readonly means: ReadonlyMap<string, Float64Array>;
  readonly skipped: readonly Skipped[];
}

/** Settings of calibration and correction of a graph; int16x8 has neither asymmetric ranges nor corrected biases. */
export interface PtqRecipe {
  readonly scheme: 'int8' | 'int16x8';
  readonly calibrator: RecipeCalibrator;
  readonly biasCorrection?: boolean;
  readonly symmetric?: boolean;
  readonly dense: DenseScales;
  /** Layers that stay in float, see `keptFloat`. */
  readonly kept: readonly string[];
  /** True where the file is to give integers. */
  readonly integerEnds?: boolean;
}

/** Calibrated and corrected, as a step of the recipe asks. */
export async function prepareInt8(
  recipe: Pick<Recipe, 'device' | 'threads'>,
  graph: Graph,
  step: PtqRecipe,
  samples: CalibrationSamples,
  onProgress?: OnProgress,
): Promise<Prepared> {
  const session = sessionOptionsOf(recipe);
  const { calibrator, symmetric = false, dense, integerEnds = false } = step;
  const activationBits: 8 | 16 = step.scheme === 'int16x8' ? 16 : 8;
  const means = isCorrected(step) ? biasedResults(graph) : [];
  const options = { calibrator, session, symmetric, activationBits, dense, integerEnds, means, onProgress } as const;
  const { result, skipped, means: found } = await quantize(graph, samples, options);
  const prepared = { float: graph, quantization: result, means: found, skipped };
  return { ...prepared, graph: await corrected(recipe, prepared, step, samples, onProgress) };
}

/** The same with other scales of dense layers: calibrated once, corrected anew. */
export async function withDenseScales(
  recipe: Pick<Recipe, 'device' | 'threads'>,
  prepared: Prepared,
  step: PtqRecipe,
  samples: CalibrationSamples,
): Promise<Prepared> {
  const quantization = new Map([...prepared.quantization, ...weightScales(prepared.float, step.dense)]);
  const other = { ...prepared, quantization };
  return { ...other, graph: await corrected(recipe, other, step, samples) };
}

/** The correction runs the layers before one in ONNX's 8 bits, which is not what 16-bit activations come to. */
const isCorrected = ({ scheme, biasCorrection = false }: PtqRecipe): boolean => biasCorrection && scheme !== 'int16x8';

async function corrected(
  recipe: Pick<Recipe, 'device' | 'threads'>,
  { float, quantization, means }: Omit<Prepared, 'graph'>,
  step: PtqRecipe,
  samples: CalibrationSamples,
  onProgress?: OnProgress,
): Promise<Graph> {
  if (!isCorrected(step)) return float;
  const options = { session: sessionOptionsOf(recipe), means, keepFloat: (layer: string) => step.kept.includes(layer) };
  return correctBias(float, quantization, samples, options, onProgress);
}

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

/** The layers that a step keeps in float, and what brings answers to the label's units; `UserError` for one that the model does not have. */
export function keptFloat(
  { keepFloat }: { readonly keepFloat: readonly string[] },
  graph: Graph,
  { answers, fields }: Pick<Task, 'answers' | 'fields'>,
): string[] {
  const known = new Set(graph.nodes.map(({ layer, outputs }) => layer ?? outputs[0]!));
  for (const name of keepFloat) {
    if (known.has(name)) continue;
    const meant = nearest(name, known);
    throw new UserError(
      `quantize.keepFloat: expected a layer of the model, received ${name}`,
      meant === undefined ? `Layers with weights: ${quantizableLayers(graph).join(', ')}.` : `Did you mean ${meant}?`,
    );
  }
  // Of several fields, such as boxes and scores, some are numbers with a unit.
  const hasUnits = answers === 'values' || fields.length > 1;
  return [
    ...new Set([
      ...keepFloat,
      ...[...known].filter(isFrontEnd),
      ...(hasUnits ? unitsOf(graph, fields.length > 1) : []),
    ]),
  ];
}

/**
 * The last two ops before each output that scale and move its values by constants, see `scaledNetwork`; and the concatenation before them, whose parts
 * then keep scales of their own.
 */
function unitsOf(graph: Graph, isOfSeveral: boolean): string[] {
  const producers = producersOf(graph.nodes);
  return [...graph.outputs.values()].flatMap((output) => {
    const units = unitsOfOutput(graph, producers, output);
    return units.length === 0 && isOfSeveral ? movedBefore(producers, output) : units;
  });
}

function unitsOfOutput(graph: Graph, producers: ReadonlyMap<string, Node>, output: string): string[] {
  const found: string[] = [];
  let value = output;
  for (const op of ['Add', 'Multiply']) {
    const node = producers.get(value);
    const inner = node?.inputs.filter((name) => !graph.constants.has(name)) ?? [];
    if (node?.op !== op || inner.length !== 1) return [];
    found.push(node.layer ?? node.outputs[0]!);
    value = inner[0]!;
  }
  const joins = producers.get(value);
  return joins?.op === 'Concat' ? [...found, joins.layer ?? joins.outputs[0]!] : found;
}

/** Sums, products and moves before an output of several ops, as a detector from a file has them between its last layer and its boxes. */
const MOVES: ReadonlySet<string> = new Set(['Add', 'Sub', 'Multiply', 'Concat', 'Slice', 'Split', 'Transpose', 'Reshape']); // prettier-ignore

/** The last ops before an output, up to the layers with weights, if it is a sum or a product of them. */
function movedBefore(producers: ReadonlyMap<string, Node>, output: string): string[] {
  const found = new Set<Node>();
  const visit = (value: string): void => {
    const node = producers.get(value);
    if (node === undefined || !MOVES.has(node.op) || found.has(node)) return;
    // The bias of a layer stays with it.
    const before = node.inputs.flatMap((one) => producers.get(one) ?? []);
    if (before.some(({ op }) => isLayer(op))) return;
    found.add(node);
    node.inputs.forEach(visit);
  };
  visit(output);
  const computes = [...found].some(({ op }) => op === 'Multiply' || op === 'Sub');
  return computes ? [...found].map(({ layer, outputs }) => layer ?? outputs[0]!) : [];
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
