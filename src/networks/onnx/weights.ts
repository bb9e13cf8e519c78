import { UserError } from '../../base/errors.ts';
import type { Model, OnnxTensor } from '../../formats/onnx/model.ts';
import type { Graph } from '../../graph/types.ts';
import { fitting } from '../chosen.ts';
import { isFloat, learnedIn, NUMBERED, placesIn, readersIn } from './learned.ts';
import { foldedParameters, untrainedIn } from './origins.ts';

/** Names of constants in our own files: epsilons, masks, tables of a spectrum. */
const OWN_CONSTANT = /^(const_\d+|float32_[-+.e\d]+)(_\d+)?$/;

/** Operators whose stored floats are parameters of the computation, never learned. */
const TOLD: ReadonlySet<string> = new Set(['Clip', 'Pad', 'Resize', 'Upsample', 'Dropout', 'Pow', 'Range', 'OneHot']);

export interface StoredWeights {
  readonly isWeight: (name: string) => boolean;
  /** Stored floats that are not trained, each with its origin. */
  readonly fixed: readonly string[];
  /** Those of them that an exporter computed, perhaps from parameters: it does not say from which. */
  readonly perhaps: readonly string[];
  /** Numbered weights that a product or sum reads, with their origin. */
  readonly gains: readonly string[];
  /** Weights that the exporter computed from parameters, such as a table of positions, with the parameters' names. */
  readonly computed: readonly string[];
  /** Weights that several operators of the file read. */
  readonly shared: readonly { readonly name: string; readonly by: readonly string[] }[];
}

/**
 * Stored floats that are weights: named ones, unless the exporter's notes exclude them (`untrainedIn`); numbered ones that a layer computes with; and
 * those matching `trainable`. Some exporters store weights in Constant nodes instead. `UserError` for a weight that the graph does not contain as
 * stored, and for a pattern without a match.
 */
export function storedWeights(
  { graph: file, producerName }: Model,
  name: string,
  graph: Graph,
  trainable: readonly string[] = [],
): StoredWeights {
  const named = file.initializers.filter(isFloat);
  const constants = file.nodes.flatMap(({ op, attrs, outputs }) => {
    const value = op === 'Constant' ? attrs.get('value') : undefined;
    return value?.type === 'tensor' ? [{ ...value.value, name: outputs[0]! }] : [];
  });
  const stored = named.length > 0 ? named : constants.filter((one) => isFloat(one) && one.dims.length > 0);
  const readBy = readersIn(file);
  const isLearned = learnedIn(file);
  // Zero initial states of layers are not in the graph.
  const isNoStart = (one: string): boolean => !graph.constants.has(one) && readBy(one).every(({ isStart }) => isStart);
  const untrained = untrainedIn(file);
  const isTold = (one: string): boolean => untrained.has(one) || (producerName === 'limbeck' && OWN_CONSTANT.test(one));
  const learnable = (trusted: boolean): OnnxTensor[] =>
    stored.filter(({ name: one, ...rest }) => {
      if (isTold(one)) return !trusted && isLearned({ name: one, ...rest });
      return NUMBERED.test(one) ? isLearned({ name: one, ...rest }) : !isNoStart(one);
    });
  // If names and notes leave no layer a weight, they are unreliable, as in a file whose weights were turned into constants.
  const learnableWeights = learnable(true);
  const byDefault = new Set(learnableWeights.some(isLearned) ? learnableWeights : learnable(false));
  const isAsked = fitting(
    trainable,
    stored.map((one) => one.name),
    'student.trainable',
    name,
  );
  const candidates = stored.filter((one) => byDefault.has(one) || isAsked(one.name));
  const weights = new Set(candidates.map((one) => one.name));
  const gone = candidates.find(
    (one) => !graph.constants.has(one.name) && readBy(one.name).some(({ op }) => !TOLD.has(op)),
  );
  if (gone !== undefined) {
    const { node, op } = readBy(gone.name).find((reader) => !TOLD.has(reader.op))!;
    throw new UserError(
      `${name}: the weight ${gone.name} cannot be trained: node ${node} (${op}) changes it when the file is read`,
      'Export the model with that folded into its weights (torch.onnx.export: do_constant_folding=True).',
    );
  }
  refuseCopies(graph, weights, new Set([...named, ...constants].map((one) => one.name)), name);
  const shared = candidates.flatMap((one) => {
    const by = readBy(one.name).map(({ node }) => node);
    return by.length > 1 ? [{ name: one.name, by }] : [];
  });
  const [placed, parameters] = [placesIn(file), foldedParameters(file)];
  const fixed = stored.filter((one) => !weights.has(one.name) && graph.constants.has(one.name));
  const isPerhaps = ({ name: one, dims }: OnnxTensor): boolean =>
    NUMBERED.test(one) && !untrained.has(one) && dims.some((size) => size > 1) && parameters === undefined;
  const placesOf = (isOne: (one: OnnxTensor) => boolean): string[] =>
    fixed.filter(isOne).map((one) => placed(one.name));
  const gains = candidates.filter(
    (one) => NUMBERED.test(one.name) && readBy(one.name).every(({ op }) => op === 'Mul' || op === 'Add'),
  );
  return {
    isWeight: (one) => weights.has(one) && graph.constants.has(one),
    shared,
    fixed: placesOf((one) => !isPerhaps(one)),
    perhaps: placesOf(isPerhaps),
    gains: gains.map((one) => placed(one.name)),
    computed: candidates
      .filter(({ name: one }) => !NUMBERED.test(one) && (parameters?.get(one) ?? []).length > 0)
      .map((one) => placed(one.name)),
  };
}

/** `UserError` for a second copy of a weight, which would stay constant while the first is trained. */
function refuseCopies(graph: Graph, weights: ReadonlySet<string>, stored: ReadonlySet<string>, file: string): void {
  const copy = [...graph.constants.keys()].find((one) => !stored.has(one) && weights.has(one.replace(/_\d+$/, '')));
  if (copy === undefined) return;
  throw new UserError(
    `${file}: the weight ${copy.replace(/_\d+$/, '')} is read in two ways that cannot be trained as one`,
    'Export the model with a weight of its own for each of the layers.',
  );
}

/** `UserError` for a `batchNorm` setting with a graph without batch norms. */
export function refuseNoNorms(graph: Graph, file: string): void {
  if (graph.nodes.some(({ op }) => op === 'FusedBatchNorm')) return;
  throw new UserError(
    `student.batchNorm: ${file} has no batch norms: exporters fold them into the layers before them`,
    'Take the key out, or export with torch.onnx.export(..., dynamo=False, training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False).',
  );
}

/**
 * `UserError` for statistics that several batch norms share: each norm would update them in turn, and weights that are also statistics would not be
 * trained. Tools that simplify a file store equal values once.
 */
export function refuseSharedStatistics(graph: Graph, file: string): void {
  const norms = graph.nodes.filter(({ op }) => op === 'FusedBatchNorm');
  const first = new Map<string, string>();
  for (const { inputs, layer } of norms) {
    for (const statistic of inputs.slice(1, 3)) {
      const other = first.get(statistic);
      first.set(statistic, layer ?? statistic);
      if (other === undefined) continue;
      throw new UserError(
        `${file}: the batch norms ${other} and ${layer ?? ''} read one running statistic, ${statistic}`,
        SHARED,
      );
    }
  }
  for (const { op, inputs, outputs, layer } of graph.nodes) {
    const learned = op === 'FusedBatchNorm' ? inputs.filter((_, i) => i !== 1 && i !== 2) : inputs;
    const statistic = learned.find((input) => first.has(input));
    if (statistic === undefined) continue;
    const by = layer ?? outputs[0]!;
    throw new UserError(
      `${file}: ${by} reads ${statistic}, a running statistic of the batch norm ${first.get(statistic)!}, as a weight`,
      SHARED,
    );
  }
}

const SHARED =
  'Set `student.batchNorm: frozen`, or take the file as PyTorch exports it, with the name of every statistic: tools that simplify a file store equal values once.';

/** `UserError` for a batch norm without running statistics, which training must update. */
export function refuseComputedStatistics({ nodes, constants }: Graph, file: string): void {
  const norm = nodes.find(
    ({ op, inputs }) => op === 'FusedBatchNorm' && inputs.slice(1, 3).some((one) => !constants.has(one)),
  );
  if (norm === undefined) return;
  throw new UserError(
    `${file}: the batch norm ${norm.layer ?? norm.outputs[0]!} computes its statistics from the batch`,
    'Train the model with running statistics (PyTorch: track_running_stats=True), or with group or instance norms.',
  );
}

/** `UserError` for a cumulative product, which has no gradient here. */
export function refuseNoGradient({ nodes, state }: Graph, isTrained: (name: string) => boolean, file: string): void {
  const trained = new Set([...state.keys()].filter(isTrained));
  for (const { op, layer, inputs, outputs } of nodes) {
    if (!inputs.some((one) => trained.has(one))) continue;
    outputs.forEach((one) => trained.add(one));
    if (op !== 'Cumprod') continue;
    throw new UserError(
      `${file}: node ${layer ?? outputs[0]!} (CumProd) has no gradient here, which the weights before it would need`,
      'Name these weights in `student.freeze`, or export the model without that operator.',
    );
  }
}
