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
  /** None for a net that PyTorch writes as an ONNX file, which is trained as it is. */
  readonly build?: (net: BenchNet) => LayersModel;
}

export type Build = NonNullable<BenchNet['build']>;

const picture = { batch: 32, inputShape: [96, 96, 3], classes: 10, kind: 'labels' } as const;
const sequence = { batch: 64, inputShape: [64, 64], classes: 10, kind: 'labels' } as const;
const FILES: Readonly<Record<string, BenchNet>> = {
  'onnx-resnet18': { about: "torchvision's ResNet-18 at 96×96, from its file", ...picture },
  'onnx-mobilenet-v3': { about: "torchvision's small mobilenet-v3 at 96×96, from its file", ...picture },
  'onnx-lstm': { about: 'nn.LSTM of 128 units over 64 steps of 64 features, from its file', ...sequence },
  'onnx-gru': { about: 'nn.GRU of the same, from its file', ...sequence },
};

export const NETS: Readonly<Record<string, BenchNet>> = { ...SMALL_NETS, ...DROPOUT_NETS, ...REAL_NETS, ...FILES };

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
  if (net.build === undefined) throw new Error(`${name} is a file that PyTorch writes, for bench:step alone`);
  return net.build(net);
}

export const inputShapeOf = (name: string): readonly number[] => netOf(name).inputShape;
