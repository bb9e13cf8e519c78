import type { LayersModel } from '@tensorflow/tfjs-layers';
import { REAL_NETS } from './real-nets.ts';
import { DROPOUT_NETS, SMALL_NETS } from './small-nets.ts';

/** A net of the step benchmark; bench/torch_nets.py has the same one under the same name. */
export interface BenchNet {
  readonly about: string;
  /** Samples of a step, unless asked for otherwise. */
  readonly batch: number;
  /** One sample, channels last. */
  readonly inputShape: readonly number[];
  readonly classes: number;
  /** What it learns: a label a sample, or `pixels`, a 0 or 1 each. */
  readonly kind: 'labels' | 'pixels';
  /** Samples are rows of tokens below this, the last of them 0, which is padding. */
  readonly vocabulary?: number;
  /** Limit on the norm of the weights into a unit, after each update. */
  readonly maxNorm?: number;
  readonly build: (net: BenchNet) => LayersModel;
}

export const NETS: Readonly<Record<string, BenchNet>> = { ...SMALL_NETS, ...DROPOUT_NETS, ...REAL_NETS };

export const SMALL_NET_NAMES = Object.keys(SMALL_NETS);

export function netOf(name: string): BenchNet {
  const net = Object.hasOwn(NETS, name) ? NETS[name] : undefined;
  if (net === undefined) throw new Error(`unknown model ${name}; known: ${Object.keys(NETS).join(', ')}`);
  return net;
}

/** The nets of a list with commas, in its order; all where there is none. */
export function netsOf(list: string | undefined): readonly (readonly [string, BenchNet])[] {
  return (list?.split(',') ?? Object.keys(NETS)).map((name) => [name, netOf(name)]);
}

export function buildNet(name: string): LayersModel {
  const net = netOf(name);
  return net.build(net);
}

export const inputShapeOf = (name: string): readonly number[] => netOf(name).inputShape;
