import type * as tf from '@tensorflow/tfjs-core';
import { withBatch } from '../graph/shapes.ts';
import type { Constant, Graph, TensorType } from '../graph/types.ts';

export type Tensors = Readonly<Record<string, tf.Tensor>>;
export type Variables = Readonly<Record<string, tf.Variable>>;

/**
 * A differentiable function with state, wherever it comes from: a tfjs-layers model, an ONNX file, or a graph that computes as its
 * int8 file will. Losses, optimizers, trainings, masks and exports take this and never ask.
 */
export interface Network {
  readonly name: string;
  /** [batch, ...] by name. */
  readonly inputs: Readonly<Record<string, TensorType>>;
  /** [batch, ...] by name; `logits` is what is trained, and the first. */
  readonly outputs: Readonly<Record<string, TensorType>>;
  /** Variables that a call reads, by names that are the same in every process. */
  readonly state: Variables;
  /** The part of it that an optimizer moves. */
  readonly trainable: Variables;
  /** Factor of the learning rate of a weight. Default 1 for each. */
  readonly rateOf?: ((name: string) => number) | undefined;
  /** Inner tensors that a feature loss or a parity check can name, in order, with their shapes [batch, ...]. */
  readonly layers: Readonly<Record<string, TensorType>>;
  /** Scalars that a training call is fed besides those of the loss, e.g. how far observed ranges move. */
  readonly hyper: readonly string[];
  /**
   * Variables that a training call sets to the lowest or highest value of its batch, by state name. For a batch in parts the lowest or
   * highest of all parts counts; every other observed value is a mean over the batch.
   */
  readonly extremes?: Readonly<Record<string, 'lowest' | 'highest'>>;
  /** A training call moves what is observed rather than learned (moving averages, ranges) by itself. */
  forward(inputs: Tensors, options: ForwardOptions): Forwarded;
  /** Added to the loss: the regularizers that the model itself has. */
  penalties(): readonly tf.Scalar[];
  dispose(): void;
}

/** A network that is a model in its own right: it can teach, be made smaller, and begin from other weights. */
export interface ModelNetwork extends Network {
  /** Token ids from 0 to this are what the only input holds, if it goes into an embedding. */
  readonly vocabulary?: number | undefined;
  /** Notes on the weights that a training starts with, where they come from a file: a sentence each, for log and report. */
  readonly origin?: readonly string[] | undefined;
  /** The inference graph that it is, its weights as state, if it is one: channels are cut there, and the result is a network of its kind. */
  readonly graph?: {
    readonly value: Graph;
    readonly replaced: (graph: Graph, weights: Weights) => ModelNetwork;
  };
  /**
   * Definition of the computation without the weights, as plain JSON: two networks of one definition and one state give the same answers.
   */
  definition(): unknown;
  /**
   * The same network holding these weights, by state name; one of layers is as wide as they are, where channels of them are gone. The
   * network itself is left as it is.
   */
  withWeights(weights: Weights): Promise<ModelNetwork>;
  /** Weights whose values can be masked one by one, and those that cannot, with the reason. */
  kernels(): { readonly result: readonly Kernel[]; readonly skipped: readonly Unmasked[] };
  /** Among `layers`, those whose channels cannot become fewer, with what they are; of a graph weights that stay, with the reason. */
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
  /** Names of `layers` to hand back. */
  readonly layers?: readonly string[];
  /** The scalars that `hyper` names; of a training call alone. */
  readonly hyper?: Readonly<Record<string, tf.Scalar>>;
}

export interface Forwarded {
  readonly outputs: Tensors;
  readonly layers: Tensors;
}

/** The name and type of the only input; throws where there are several. */
export function onlyInput(network: Pick<Network, 'name' | 'inputs'>): readonly [string, TensorType] {
  const all = Object.entries(network.inputs);
  if (all.length !== 1)
    throw new Error(`${network.name}: expected one input, received ${Object.keys(network.inputs).join(', ')}`);
  return all[0]!;
}

/** Numbers in the state of a network. */
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

/** State names with a prefix, e.g. those of a second network that holds the moving average of the first one's weights. */
export function prefixed(variables: Variables, prefix: string): Variables {
  return Object.fromEntries(Object.entries(variables).map(([name, variable]) => [`${prefix}${name}`, variable]));
}

/** The type for a batch of this size. */
export function atBatchSize({ dtype, shape }: TensorType, batchSize: number): TensorType {
  return { dtype, shape: withBatch(shape, batchSize) };
}
