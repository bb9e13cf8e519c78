import * as tf from '@tensorflow/tfjs-core';
import { bytesOf, sha256 } from '../base/bytes.ts';
import { atBatch } from '../graph/passes/inputs/at-batch.ts';
import { printGraph } from '../graph/print.ts';
import type { Constant, Graph, Node, TensorType } from '../graph/types.ts';
import { batchNormTrain } from '../trace/ops/batch-norm.ts';
import { interpret, interpretRules, tfTensorOf } from '../trace/interpret/interpret.ts';
import { lstm } from '../trace/ops/lstm.ts';
import { dropoutMask } from '../trace/layers/dropout.ts';
import { inLayer } from '../trace/scope.ts';
import type {
  ForwardOptions,
  Forwarded,
  ModelNetwork,
  Tensors,
  Variables,
  Weights,
  Kernel,
  Unmasked,
} from './network.ts';

export interface GraphNetworkOptions {
  readonly name: string;
  /** Content of the graph's state: its weights, which become variables of the same names. */
  readonly weights: Weights;
  /** True for weights that are not trained. Default: none. */
  readonly isFrozen?: (name: string) => boolean;
  /**
   * `train`: batch norms use the batch's statistics and update their own with the exported momentum. `frozen`: statistics, scale and offset are
   * constant.
   */
  readonly batchNorm: 'train' | 'frozen';
  /** Names of batch norms (their layers) that stay constant where the others train. */
  readonly frozenNorms?: ReadonlySet<string> | undefined;
  /** Factor of a weight's learning rate. Default 1. */
  readonly rateOf?: ((name: string) => number) | undefined;
  /** Momentum of the batch norm of this name, as ONNX defines it: running = running · momentum + batch · (1 - momentum). */
  readonly momentumOf?: (layer: string) => number | undefined;
  /** Notes on the initial weights, a sentence each. */
  readonly origin?: readonly string[];
  /** Names of the first outputs, which answer together. Default: `logits` for the first, whatever the graph calls it. */
  readonly answers?: readonly string[] | undefined;
}

/** Name of a network's single input, whatever the graph calls it. */
const INPUT = 'input';
const LOGITS = ['logits'];

/** ONNX BatchNormalization: default of the attribute momentum. */
const USUAL_MOMENTUM = 0.9;

/**
 * An inference graph as a trainable network: its weights are variables, and its batch norms train. tfjs ops run the graph, so gradients are tfjs'.
 */
export function graphNetwork(graph: Graph, { weights, ...options }: GraphNetworkOptions): ModelNetwork {
  return networkOf(graph, options, variablesOf(graph, weights));
}

/** A separate function, so that the network's closures do not keep the caller's weights in memory. */
function networkOf(graph: Graph, options: Omit<GraphNetworkOptions, 'weights'>, state: Variables): ModelNetwork {
  const { name, batchNorm, isFrozen = () => false, momentumOf = () => undefined, answers = LOGITS, rateOf } = options;
  const isConstant = ({ layer = '' }: Node): boolean =>
    batchNorm === 'frozen' || options.frozenNorms?.has(layer) === true;
  const norms = graph.nodes.filter(({ op }) => op === 'FusedBatchNorm');
  const statistics = new Set(norms.flatMap(({ inputs }) => inputs.slice(1, 3)));
  const ofConstant = new Set(norms.filter(isConstant).flatMap(({ inputs }) => inputs.slice(1)));
  const names = [...graph.state.keys()];
  const isTrained = (key: string): boolean => !isFrozen(key) && !statistics.has(key) && !ofConstant.has(key);
  const inputNames = graph.inputs.size === 1 ? [INPUT] : [...graph.inputs.keys()];
  const outputNames = [...answers, ...[...graph.outputs.keys()].slice(answers.length)];

  const forward = (inputs: Tensors, { training, layers: wanted = [] }: ForwardOptions): Forwarded => {
    const sized = atBatch(graph, Object.values(inputs)[0]!.shape[0]);
    const fed = Object.fromEntries([...graph.inputs.keys()].map((key, i) => [key, inputs[inputNames[i]!]!]));
    const found: Record<string, tf.Tensor> = {};
    const watched = new Map(wanted.map((layer) => [lastOf(graph, layer, answers), layer]));
    const see = (value: string, tensor: tf.Tensor): tf.Tensor => {
      const layer = watched.get(value);
      // Kept, because the interpreter disposes of its tensors.
      if (layer !== undefined) found[layer] = tf.keep(tf.clone(tensor));
      return tensor;
    };
    const instead = (node: Node, given: readonly tf.Tensor[]): tf.Tensor[] | undefined => {
      const trains = training && node.op === 'FusedBatchNorm' && !isConstant(node);
      if (trains) return [normalized(node, given, state, momentumOf(node.layer ?? '') ?? USUAL_MOMENTUM)];
      if (!training && node.op === 'FusedBatchNorm' && given[0]!.rank <= 4) return [normalizedBy(node, given)];
      if (training && node.op === 'Dropout') return [dropoutMask(given[0]!, node.attrs.rate as number)];
      if (training && node.op === 'Lstm') return [trainedLstm(node, given)];
      return node.layer === undefined
        ? undefined
        : inLayer(node.layer, () => [interpretRules[node.op]!(given, node.attrs)].flat());
    };
    const { outputs } = interpret(sized, { ...fed, ...state }, see, instead);
    const named = [...graph.outputs.keys()].map((key, i) => [outputNames[i]!, outputs[key]!] as const);
    return { outputs: Object.fromEntries(named), layers: found };
  };

  return {
    name,
    origin: options.origin,
    inputs: Object.fromEntries([...graph.inputs.values()].map((type, i) => [inputNames[i]!, type])),
    outputs: Object.fromEntries(
      [...graph.outputs.values()].map((value, i) => [outputNames[i]!, graph.types.get(value)!]),
    ),
    state,
    trainable: Object.fromEntries(Object.entries(state).filter(([key]) => isTrained(key))),
    rateOf,
    layers: layersOf(graph, answers),
    hyper: [],
    forward,
    penalties: () => [],
    definition: () => ({
      graph: printGraph(graph),
      constants: hashOfConstants(graph),
      batchNorm,
      ...(options.frozenNorms && { frozenNorms: [...options.frozenNorms] }),
    }),
    withWeights: (content) => Promise.resolve(graphNetwork(graph, { ...options, weights: fitting(graph, content) })),
    kernels: () => kernelsOfGraph(graph, state),
    graph: { value: graph, replaced: (other, content) => graphNetwork(other, { ...options, weights: content }) },
    rigid: () => new Map(names.filter(isFrozen).map((key) => [key, 'is frozen'])),
    dispose: () => Object.values(state).forEach((variable) => variable.dispose()),
  };
}

function variablesOf({ state }: Graph, weights: Weights): Variables {
  return Object.fromEntries(Array.from(state.keys(), (key) => [key, variableOf(weights.get(key)!)]));
}

function variableOf({ type, data }: Constant): tf.Variable {
  return tf.variable(tfTensorOf(data, 'float32', type.shape as number[]));
}

function trainedLstm({ layer, attrs }: Node, [y, x, weights, recurrence, bias]: readonly tf.Tensor[]): tf.Tensor {
  const options = { isReversed: attrs.reversed === true, isWhole: attrs.whole === true };
  const run = (): tf.Tensor => tf.reshape(lstm(x!, weights!, recurrence!, bias, options), y!.shape);
  return layer === undefined ? run() : inLayer(layer, run);
}

/** One batch-norm kernel, which an export folds into the layer before it; the sums and products of the interpreter's rule could not be folded. */
function normalizedBy(node: Node, given: readonly tf.Tensor[]): tf.Tensor {
  const [x, mean, variance, offset, scale] = given as [tf.Tensor, tf.Tensor1D, tf.Tensor1D, tf.Tensor1D?, tf.Tensor1D?];
  const apply = (): tf.Tensor => tf.batchNorm(x, mean, variance, offset, scale, node.attrs.epsilon as number);
  return node.layer === undefined ? apply() : inLayer(node.layer, apply);
}

function normalized(node: Node, given: readonly tf.Tensor[], state: Variables, momentum: number): tf.Tensor {
  const [x, , , offset, scale] = given as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor?, tf.Tensor?];
  const channels = [x.shape.at(-1)!];
  const epsilon = node.attrs.epsilon as number;
  const { y, mean, variance } = batchNormTrain(x, scale ?? tf.ones(channels), offset ?? tf.zeros(channels), epsilon);
  for (const [key, value] of [
    [node.inputs[1]!, mean],
    [node.inputs[2]!, variance],
  ] as const) {
    const before = state[key]!;
    before.assign(tf.sub(before, tf.mul(tf.sub(before, value), 1 - momentum)));
  }
  return y;
}

/** Output of a file's operator: that of its last node. */
function lastOf(graph: Graph, layer: string, answers: readonly string[]): string {
  return furtherOutputs(graph, answers).get(layer) ?? graph.nodes.findLast((node) => node.layer === layer)!.outputs[0]!;
}

/** Outputs besides the answers, by name, which a loss of inner tensors may name too. */
function furtherOutputs({ outputs }: Graph, answers: readonly string[]): Map<string, string> {
  return new Map([...outputs].slice(answers.length));
}

function layersOf(graph: Graph, answers: readonly string[]): Record<string, TensorType> {
  const ends = new Set(graph.outputs.values());
  const last = new Map(
    graph.nodes.flatMap(({ layer, outputs }) => (layer === undefined ? [] : [[layer, outputs[0]!]])),
  );
  const known = [...[...last].filter(([, value]) => !ends.has(value)), ...furtherOutputs(graph, answers)];
  const floats = known.filter(([, value]) => graph.types.get(value)!.dtype === 'float32');
  return Object.fromEntries(floats.map(([layer, value]) => [layer, graph.types.get(value)!]));
}

function fitting({ state }: Graph, content: Weights): Weights {
  const found = [...state].map(([key, { shape }]) => {
    const value = content.get(key);
    if (String(value?.type.shape) === String(shape)) return [key, value!] as const;
    const receivedShape = value === undefined ? 'nothing' : `[${value.type.shape.join(', ')}]`;
    throw new Error(`${key}: the graph holds [${shape.join(', ')}], received ${receivedShape}`);
  });
  return new Map(found);
}

/** Hash of the constants other than weights. */
function hashOfConstants({ constants }: Graph): string {
  return sha256(...[...constants].flatMap(([key, { data }]) => [key, bytesOf(data)]));
}

/** The axis of a weight that a node sums over. */
const SUMMED: Readonly<Record<string, (node: Node, rank: number) => number>> = {
  Conv2D: () => 2,
  BatchMatMul: ({ attrs }, rank) => (attrs.transposeB === true ? rank - 1 : rank - 2),
};

/**
 * Kernels of convolutions and matrix products of a graph with weights `state`. Depthwise filters are not pruned (Zhu & Gupta 2017, section 4.2): each
 * is the only path of its channel.
 */
function kernelsOfGraph({ nodes }: Graph, state: Variables): { result: Kernel[]; skipped: Unmasked[] } {
  const result = new Map<string, Kernel>();
  const users = new Map<string, string>();
  for (const node of nodes) {
    const [, weight] = node.inputs;
    for (const name of node.inputs) if (!users.has(name)) users.set(name, node.op);
    if (weight === undefined || !Object.hasOwn(state, weight) || !Object.hasOwn(SUMMED, node.op)) continue;
    const { shape } = state[weight]!;
    if (shape.length > 1) result.set(weight, { name: weight, shape, inputs: SUMMED[node.op]!(node, shape.length) });
  }
  const skipped = Object.entries(state).flatMap(([name, { shape }]): Unmasked[] => {
    if (shape.length < 2 || result.has(name)) return [];
    return [{ what: name, why: `weights of ${users.get(name) ?? 'no operator'} are not masked` }];
  });
  return { result: [...result.values()], skipped };
}
