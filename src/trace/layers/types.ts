import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';

/** Used members of a tfjs layer; many are not in its public types. */
export interface LayerLike {
  readonly name: string;
  readonly trainable?: boolean;
  readonly rate: number;
  readonly stddev: number;
  readonly noiseShape?: readonly (number | null)[] | null;
  readonly axis: number;
  readonly momentum: number;
  readonly epsilon: number;
  readonly gamma?: LayerVariable | null;
  readonly beta?: LayerVariable | null;
  readonly movingMean: LayerVariable;
  readonly movingVariance: LayerVariable;
  call?(inputs: unknown, options: Readonly<Record<string, unknown>>): Tensor | Tensor[];
  dropoutFunc?: ((x: Tensor, rate: number) => Tensor) | null;
  getNoiseShape?(input: Tensor): readonly number[] | null | undefined;
}

export interface LayerClass {
  call: (this: LayerLike, inputs: unknown, options: Readonly<Record<string, unknown>> | undefined) => unknown;
  apply: (this: LayerLike, inputs: unknown, options: unknown) => unknown;
}

/** The input of a layer with one input. */
export function single(inputs: unknown): Tensor {
  return (Array.isArray(inputs) ? inputs[0] : inputs) as Tensor;
}
