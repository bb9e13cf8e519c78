import { UserError } from '../../base/errors.ts';
import { refuseNaN } from '../../formats/onnx/refuse-nan.ts';
import { byteInputs } from '../../formats/onnx/bytes.ts';
import { importOnnx } from '../../formats/onnx/import.ts';
import type { Model, OnnxDim } from '../../formats/onnx/model.ts';
import { withInputShapes } from '../../formats/onnx/sizes.ts';
import { withTwoLogits } from '../../formats/onnx/rewrite/two-logits.ts';
import { handsOn } from '../../graph/ops.ts';
import { cleaned } from '../../graph/passes/simplify/cleaned.ts';
import { openBatch } from '../../graph/passes/inputs/open-batch.ts';
import { liftConstants } from '../../graph/passes/constants/lift-constants.ts';
import { trimFilters } from '../../graph/passes/inference/trim-filters.ts';
import type { Graph } from '../../graph/types.ts';
import { answeredOnGrid } from './grid.ts';
import type { AnswerGrid } from './grid.ts';
import { answeredAtPoints } from './points.ts';
import type { PointAnswers } from './points.ts';
import { fedByParts, fedBySamples } from './inputs.ts';
import { originOf } from './notes.ts';
import { fedShapes } from '../../data/axes.ts';
import type { InputPart } from '../../data/dataset.ts';
import { fitting } from '../chosen.ts';
import { graphNetwork } from '../graph.ts';
import { headOf, withNewHead } from '../head.ts';
import type { ModelNetwork, Weights } from '../network.ts';
import { lostParameters } from './origins.ts';
import { untied } from './ties.ts';
import {
  refuseComputedStatistics,
  refuseNoGradient,
  refuseNoNorms,
  refuseSharedStatistics,
  storedWeights,
} from './weights.ts';

/** Weights and batch norms, by the names of their nodes, that are not trained. */
export interface Frozen {
  readonly isFrozen: (weight: string) => boolean;
  readonly norms: ReadonlySet<string>;
}

export interface OnnxNetworkOptions {
  readonly inputShape: readonly number[];
  /** Slices of a sample for each input of a model with several inputs. */
  readonly inputs?: readonly InputPart[] | undefined;
  readonly classes: number;
  /** Grid of the answers, for a class for each pixel. Default: one answer for a sample. */
  readonly grid?: AnswerGrid | undefined;
  /** A detector's answers, for boxes. */
  readonly detector?: Omit<PointAnswers, 'classes' | 'output'> | undefined;
  readonly seed: number;
  /** Name of the output with the logits. Default: the only output. */
  readonly output?: string | undefined;
  /** `keep`: the file's head. `replace`: the last layer with weights is re-initialized for the classes of the data. */
  readonly head: 'keep' | 'replace';
  /** Patterns of names of weights that are not trained; `*` stands for any characters. */
  readonly freeze: readonly string[];
  /** Patterns of names of stored numbers that are trained although the file does not mark them as weights. */
  readonly trainable?: readonly string[] | undefined;
  /** Default `train`. Refused for a file without batch norms, which would ignore it. */
  readonly batchNorm?: 'train' | 'frozen' | undefined;
  /** True for two classes: a file with a single logit or sigmoid then answers with the logits 0 and z. */
  readonly isOfTwo?: boolean;
  /** True if the answers are numbers rather than logits: a file may end in a sigmoid. Default false. */
  readonly isOfNumbers?: boolean;
  /** Remove parts of filters that only meet padding. Default true; false for comparing weights with the file's. */
  readonly isTrimmed?: boolean;
  /** Puts neck and head on the outputs of the graph, which are feature maps, with the weights of both. */
  readonly joined?:
    ((graph: Graph, weights: Weights) => { readonly graph: Graph; readonly weights: Weights }) | undefined;
  /** Names of the answers. Default: logits, or boxes and scores of a detector. */
  readonly answers?: readonly string[] | undefined;
  /** Weights and batch norms that are not trained, in place of `freeze`. The model has each weight under a name of its own, and biases that the exporter left out. */
  readonly frozenIn?: ((model: Model) => Frozen) | undefined;
  /** As in `GraphNetworkOptions`. */
  readonly rateOf?: ((name: string) => number) | undefined;
  /** Layers and outputs that a loss of inner tensors compares with the teacher's. */
  readonly compared?: readonly string[] | undefined;
}

/**
 * An ONNX file as a trainable network. It is fed samples in the data's layout, pictures with channels last, whatever the file's. `UserError` for
 * unsupported operators, and if input or classes do not fit the data.
 */
export function onnxNetwork(source: Model, file: string, options: OnnxNetworkOptions): ModelNetwork {
  const isOfTwo = options.isOfTwo === true && options.head === 'keep';
  const binary = isOfTwo ? withTwoLogits(source, options.output) : undefined;
  const { model, split, restored } = untied(binary ?? source);
  const {
    inputShape,
    inputs,
    classes,
    grid,
    detector,
    seed,
    head,
    freeze,
    batchNorm = 'train',
    compared = [],
    isTrimmed = true,
    joined,
  } = options;
  const sized = withSampleSizes(model, file, inputShape, inputs);
  const read = importOnnx(sized, file, { isTrained: true });
  const open = withOpenBatch(read, file);
  const ordered =
    joined !== undefined
      ? open
      : detector === undefined
        ? logitsFirst(open, file, options.output)
        : answeredAtPoints(open, file, { ...detector, classes, output: options.output });
  const imported = inputs === undefined ? fedBySamples(ordered, file, inputShape) : fedByParts(ordered, file, inputs);
  const drawn = head === 'replace' ? withNewHead(imported, file, classes, seed) : imported;
  const onGrid = grid && answeredOnGrid(drawn, file, grid);
  const headed = onGrid?.graph ?? drawn;
  // Parts of a filter that only meet padding have no gradient, and cost memory and time.
  const { graph: whole, filters } = isTrimmed ? trimFilters(headed) : { graph: headed, filters: [] };
  if (detector === undefined && joined === undefined) checkOutput(whole, file, options);
  refuseComputedStatistics(whole, file);
  if (batchNorm === 'train') refuseSharedStatistics(whole, file);
  if (options.batchNorm !== undefined) refuseNoNorms(whole, file);
  const stored = storedWeights(model, file, whole, options.trainable);
  const { graph, content: weights } = liftConstants(whole, stored.isWeight);
  if (weights.size === 0) throw new UserError(`${file}: holds no float32 weights to train`, 'Export a float32 model.');
  refuseTaken([...weights.keys()], file);
  refuseNaN(weights, file);
  const momenta = new Map(
    model.graph.nodes.flatMap(({ op, name, outputs, attrs }) => {
      const momentum = attrs.get('momentum')?.value;
      return op === 'BatchNormalization' && typeof momentum === 'number' ? [[name || outputs[0]!, momentum]] : [];
    }),
  );
  const frozen = options.frozenIn?.(model);
  const isFrozen = frozen?.isFrozen ?? fitting(freeze, [...weights.keys()], 'student.freeze', file);
  refuseNoGradient(graph, (one) => !isFrozen(one), file);
  const short = file.split(/[\\/]/).at(-1)!;
  const lost = lostParameters(model.graph);
  const origin = originOf({ file: short, weights, isFrozen, batchNorm, stored, graph, filters, split, restored, lost });
  const others = [...whole.outputs.keys()]
    .slice(1)
    .filter((output) => detector === undefined && joined === undefined && !compared.includes(output));
  if (others.length > 0)
    origin.push(
      `${short}: its ${others.length === 1 ? 'output' : 'outputs'} ${others.join(', ')} ${others.length === 1 ? 'stays' : 'stay'} in the files, but nothing teaches ${others.length === 1 ? 'it' : 'them'}: what it answers changes with the weights that it shares with the logits`,
    );
  if (binary !== undefined)
    origin.push(`${short}: answers with the logits 0 and z, where z is its one logit for two classes`);
  for (const { name, dtype } of byteInputs(model))
    origin.push(
      `${short}: its input ${name}, ${dtype!} in the file, is int32 in what is made of it, and takes the same numbers`,
    );
  const [steps, channels] = inputShape;
  if (inputs === undefined && inputShape.length === 2 && steps === channels && imported === ordered)
    origin.push(
      `${short}: takes samples [${steps!}, ${channels!}] as they are, as nothing tells whether its channels come first: transpose the arrays if they do`,
    );
  if (onGrid?.cut !== undefined)
    origin.push(
      `${short}: ${onGrid.cut} at its end, which enlarges its logits, is left off: masks are made of the smaller ones by the same enlargement`,
    );
  if (onGrid?.resized !== undefined)
    origin.push(
      `${short}: its logits are resized from ${onGrid.resized.join('×')} to ${grid!.slice(0, 2).join('×')}, the grid of dataset.stride`,
    );
  const fixed = fixedBatch(read);
  if (fixed !== undefined) origin.push(`${short}: its batch size, ${fixed} in the file, is left open`);
  if (head === 'replace') {
    const [before, after] = [headOf(imported)!, headOf(whole)!];
    origin.push(
      `${short}: its last ${before.layer.includes(' and ') ? 'layers' : 'layer'} ${before.layer} ${before.layer.includes(' and ') ? 'are' : 'is'} drawn anew: ${after.classes} outputs instead of ${before.classes}`,
    );
  }
  const complete = joined?.(graph, weights) ?? { graph, weights };
  const { answers = detector && ['boxes', 'scores'], rateOf } = options;
  return graphNetwork(cleaned(complete.graph), {
    name: file,
    weights: complete.weights,
    batchNorm,
    isFrozen,
    frozenNorms: frozen?.norms,
    rateOf,
    origin,
    momentumOf: (layer) => momenta.get(layer),
    answers,
  });
}

/** Feed and variable names of a training step, which weights may not have. */
const TAKEN: ReadonlySet<string> = new Set([
  'input',
  'logits',
  'x',
  'labels',
  'weights',
  'targets',
  'partners',
  'lambda',
  'teacherLogits',
  'rows',
  'hasLabel',
  'hasAnswer',
  'isScored',
  'learningRate',
  'stepSize',
  'epsilon',
  'keep',
  'weightDecay',
  'clipNorm',
  'emaDecay',
  'loss',
  'correct',
]);

function refuseTaken(names: readonly string[], file: string): void {
  const reserved = names.find((name) => TAKEN.has(name));
  if (reserved === undefined) return;
  throw new UserError(
    `${file}: a weight is called ${reserved}, a name that the training step uses itself`,
    'Rename the initializer in the file.',
  );
}

/** Batch size of a file that fixes it; undefined if it is open. */
function fixedBatch({ inputs }: Graph): number | undefined {
  return [...inputs.values()].map(({ shape }) => shape[0]).find((dim) => typeof dim === 'number');
}

/** The graph with an open batch size. `UserError` if that is not possible. */
export function withOpenBatch(graph: Graph, file: string): Graph {
  const size = fixedBatch(graph);
  if (size === undefined) return graph;
  try {
    return openBatch(graph, size);
  } catch (error) {
    throw new UserError(
      `${file}: its input ${[...graph.inputs.keys()].join(', ')} has the fixed batch size ${size}, which cannot be left open: ${(error as Error).message}`,
      'Export it with an open batch size (torch.onnx.export: dynamic_axes or dynamic_shapes).',
    );
  }
}

/** The model with samples' sizes for open sizes of its inputs. Pictures keep the file's layout; if both fit, channels come first. */
export function withSampleSizes(
  model: Model,
  file: string,
  sample: readonly number[],
  parts: readonly InputPart[] | undefined,
): Model {
  const stored = new Set(model.graph.initializers.map(({ name }) => name));
  const inputs = model.graph.inputs.filter(({ name }) => !stored.has(name));
  const only = inputs.length === 1 ? sample : undefined;
  const shapes = inputs.flatMap(({ name, dims = [] }) => {
    const shape = parts === undefined ? only : parts.find((part) => part.name === name)?.shape;
    const sizes = shape && openSizes(dims, shape);
    return sizes === undefined ? [] : [[name, sizes] as const];
  });
  return withInputShapes(model, new Map(shapes), file);
}

/** Sizes of samples for an input that leaves some open; undefined if all are fixed or they do not fit. */
function openSizes(
  [first, ...own]: readonly OnnxDim[],
  sample: readonly number[],
): readonly (number | 'batch')[] | undefined {
  if (own.every((dim) => typeof dim === 'number')) return undefined;
  const fits = fedShapes(sample)
    .map(({ shape }) => shape)
    .find(
      (order) => order.length === own.length && order.every((size, i) => typeof own[i] !== 'number' || own[i] === size),
    );
  return fits && [typeof first === 'number' ? first : 'batch', ...fits];
}

/** The graph with the logits as its first output, which training and measurements use. */
function logitsFirst(graph: Graph, file: string, output: string | undefined): Graph {
  const names = [...graph.outputs.keys()];
  if (output !== undefined && !names.includes(output))
    throw new UserError(`student.output: ${file} has no output ${output}`, `It has: ${names.join(', ')}.`);
  if (output === undefined && names.length > 1)
    throw new UserError(
      `${file}: expected one output, received ${names.join(', ')}`,
      'Set `student.output` to the one that has the logits, or export the model with its logits as its only output.',
    );
  if (output !== undefined && output !== 'logits' && names.includes('logits'))
    throw new UserError(
      `student.output: ${output} is to have the logits, and ${file} calls another output logits`,
      'Rename that output in the file.',
    );
  if (output === undefined || output === names[0]) return graph;
  const first: [string, string] = [output, graph.outputs.get(output)!];
  return { ...graph, outputs: new Map([first, ...graph.outputs]) };
}

function checkOutput(
  graph: Graph,
  file: string,
  { classes, grid, head, isOfNumbers = false }: Pick<OnnxNetworkOptions, 'classes' | 'grid' | 'head' | 'isOfNumbers'>,
): void {
  const [name, value] = [...graph.outputs][0]!;
  const producerOf = (of: string) => graph.nodes.find(({ outputs: given }) => given.includes(of));
  let producer = producerOf(value);
  while (
    producer !== undefined &&
    (producer.op === 'Cast' || producer.op === 'ResizeBilinear' || handsOn(producer.op, 'moved'))
  )
    producer = producerOf(producer.inputs[0]!);
  // The losses apply softmax and sigmoid themselves: from probabilities they would learn next to nothing.
  const { op = '' } = producer ?? {};
  const { shape } = graph.types.get(value)!;
  const isFitting = grid !== undefined || (shape.length === 2 && shape[1] === classes);
  if (op === 'Softmax' || op === 'LogSoftmax' || (op === 'Sigmoid' && isFitting && !isOfNumbers))
    throw new UserError(
      `${file}: expected logits, received a model that ends in ${producer?.layer ?? name} (${op})`,
      'Export it without that layer; the order of the classes does not change.',
    );
  // A reshape to [-1] or [-1, n] turns numbers of one sample into several rows.
  if (shape.length <= 2 && shape[0] !== 'batch')
    throw new UserError(
      `${file}: expected an output with one row for each sample, received ${name} [${shape.join(', ')}]`,
      'Export the model up to its last dense layer, without a reshape that joins the batch with other axes.',
    );
  if (isFitting) return;
  if (shape.length === 1 && classes === 1)
    throw new UserError(
      `${file}: expected an output [batch, 1], received ${name} [${shape.join(', ')}]`,
      'Export the model without the squeeze (or the index) at its end, which takes that axis away.',
    );
  const last = headOf(graph);
  const found = last === undefined ? '' : `; its last layer ${last.layer} has ${last.classes}`;
  const wanted = isOfNumbers
    ? `an output [batch, ${classes}] for the ${classes} numbers of an answer`
    : `logits [batch, ${classes}] for the ${classes} classes of the data`;
  throw new UserError(
    `${file}: expected ${classes === 1 ? 'an output [batch, 1] for the one number or label of the data' : wanted}, received ${name} [${shape.join(', ')}]${found}`,
    head === 'keep'
      ? `Give data of ${isOfNumbers ? 'as many numbers as the model answers with (of vectors `dataset.dimensions`)' : 'the classes of the model'}, or set \`student.head: replace\`: the last layer is then drawn anew for these.`
      : 'Export the model up to its last dense layer.',
  );
}
