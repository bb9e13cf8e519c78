import type * as tf from '@tensorflow/tfjs-core';
import { withBatch } from '../graph/shapes.ts';
import type { Constant, Graph, TensorType } from '../graph/types.ts';

export type Tensors = Readonly<Record<string, tf.Tensor>>;
export type Variables = Readonly<Record<string, tf.Variable>>;

/**
 * A differentiable function with state: a tfjs-layers model, an ONNX file, or a graph that simulates its int8 file. Losses, optimizers, trainings,
 * masks and exports use this interface alone.
 */
export interface Network {
  readonly name: string;
  /** [batch, ...] by name. */
  readonly inputs: Readonly<Record<string, TensorType>>;
  /** [batch, ...] by name; the first, `logits`, is trained. */
  readonly outputs: Readonly<Record<string, TensorType>>;
  /** Variables that a call reads, by names that are the same in every process. */
  readonly state: Variables;
  /** The variables that an optimizer updates. */
  readonly trainable: Variables;
  /** Factor of a weight's learning rate. Default 1. */
  readonly rateOf?: ((name: string) => number) | undefined;
  /** Inner tensors that a feature loss or a parity check can name, in order, with their shapes [batch, ...]. */
  readonly layers: Readonly<Record<string, TensorType>>;
  /** Scalars that a training call is fed besides the loss', such as the rate at which observed ranges move. */
  readonly hyper: readonly string[];
  /**
   * Variables that a training call sets to the minimum or maximum of its batch, by state name. For a batch in parts, the minimum or maximum of all
   * parts counts; all other observed values are means over the batch.
   */
  readonly extremes?: Readonly<Record<string, 'lowest' | 'highest'>>;
  /** Computes the outputs. A training call also updates observed values (moving averages, ranges). */
  forward(inputs: Tensors, options: ForwardOptions): Forwarded;
  /** Regularizers of the model, which are added to the loss. */
  penalties(): readonly tf.Scalar[];
  dispose(): void;
}

/** A network that can also teach, be pruned, and start from other weights. */
export interface ModelNetwork extends Network {
  /** Number of token ids, if the only input feeds an embedding. */
  readonly vocabulary?: number | undefined;
  /** Notes on initial weights from a file, a sentence each, for log and report. */
  readonly origin?: readonly string[] | undefined;
  /**
   * The inference graph of the network, with its weights as state, if it is defined by one: channels are removed from the graph, and `replaced`
   * makes the network of the result.
   */
  readonly graph?: {
    readonly value: Graph;
    readonly replaced: (graph: Graph, weights: Weights) => ModelNetwork;
  };
  /** Definition of the computation without weights, as plain JSON: networks with equal definition and state give equal outputs. */
  definition(): unknown;
  /** A copy of the network with these weights, by state name; a network of layers takes the channel counts of the weights. */
  withWeights(weights: Weights): Promise<ModelNetwork>;
  /** Weights that can be masked value by value, and weights that cannot, with the reason. */
  kernels(): { readonly result: readonly Kernel[]; readonly skipped: readonly Unmasked[] };
  /** Layers whose channel count cannot change, with their class; for a graph, weights that must stay whole, with the reason. */
  rigid(): ReadonlyMap<string, string>;
}

/** Content of variables, by state name. */
export type Weights = ReadonlyMap<string, Constant>;

export interface Kernel {
  readonly name: string;
  readonly shape: readonly number[];
  /** The axis that is summed over: the inputs of the layer. */
  readonly inputs: number;
}

export interface Unmasked {
  readonly what: string;
  readonly why: string;
}

export interface ForwardOptions {
  readonly training: boolean;
  /** Names of `layers` to return. */
  readonly layers?: readonly string[];
  /** Values of the scalars in `hyper`, for training calls. */
  readonly hyper?: Readonly<Record<string, tf.Scalar>>;
}

export interface Forwarded {
  readonly outputs: Tensors;
  readonly layers: Tensors;
}

/** Name and type of the only input; throws for several. */
export function onlyInput(network: Pick<Network, 'name' | 'inputs'>): readonly [string, TensorType] {
  const all = Object.entries(network.inputs);
  if (all.length !== 1)
    throw new Error(`${network.name}: expected one input, received ${Object.keys(network.inputs).join(', ')}`);
  return all[0]!;
}

/** Number of elements of a network's state. */
export function networkParameters({ state }: Pick<Network, 'state'>): number {
  return Object.values(state).reduce((sum, { size }) => sum + size, 0);
}

/** Contents of the variables of a network. */
export function contentOf({ state }: Pick<Network, 'state'>): Map<string, Constant> {
  return new Map(
    Object.entries(state).map(([name, variable]) => {
      const type = { dtype: 'float32', shape: variable.shape } as const;
      return [name, { type, data: variable.dataSync().slice() as Float32Array }] as const;
    }),
  );
}

/** Variables with prefixed state names, such as those of a network that holds the moving average of another's weights. */
export function prefixed(variables: Variables, prefix: string): Variables {
  return Object.fromEntries(Object.entries(variables).map(([name, variable]) => [`${prefix}${name}`, variable]));
}

/** The type for a batch of this size. */
export function atBatchSize({ dtype, shape }: TensorType, batchSize: number): TensorType {
  return { dtype, shape: withBatch(shape, batchSize) };
}
