import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { DilatedDepthwise } from '../../trace/layers/dilated-depthwise.ts';
import { SeededInitializer, type SeededConfig } from './initializers.ts';

/** Moving statistics have a half-life of 7 steps: runs here have thousands of steps, not the hundreds of thousands for which Keras chose 0.99. */
export const BATCH_NORM = { momentum: 0.9, epsilon: 1e-3 };

/** One size for height and width, or one for each. */
type Size = number | readonly [height: number, width: number];

export interface ConvOptions {
  readonly kernel?: Size;
  readonly stride?: Size;
  /** Default 1. */
  readonly dilation?: Size;
  /** Default: same. causal: zeros before the first column, none behind the last. */
  readonly padding?: 'same' | 'valid' | 'causal';
  /** Batch norm after the convolution, which then has no bias. Default true. */
  readonly norm?: boolean;
  /** The batch norm has a scale; superfluous before a ReLU and another layer. Default true. */
  readonly scale?: boolean;
  /** 2×2 max pooling between the convolution and its batch norm. Default false. */
  readonly pool?: boolean;
  /** Default: true without batch norm, which has an offset. */
  readonly bias?: boolean;
  readonly activation?: 'relu' | 'relu6' | 'none';
}

/** Layer constructors with explicit names and seeded weights. `name` names the convolution; its successors are `name_bn`, `name_relu`. */
export class Blocks {
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  initial(stream: string, rest: Omit<SeededConfig, 'seed' | 'stream'>): SeededInitializer {
    return new SeededInitializer({ seed: this.#seed, stream, ...rest });
  }

  conv(x: SymbolicTensor, name: string, filters: number, options: ConvOptions = {}): SymbolicTensor {
    const { norm = true, bias = !norm, activation = 'relu', pool = false } = options;
    const conv = layers.conv2d({
      name,
      filters,
      ...windowOf(options),
      useBias: bias,
      kernelInitializer: this.initial(`${name}/kernel`, { scheme: 'he-normal' }),
    });
    const y = conv.apply(padded(x, name, options)) as SymbolicTensor;
    const pooled = pool ? layers.maxPooling2d({ name: `${name}_pool`, poolSize: 2 }).apply(y) : y;
    return this.#finish(pooled as SymbolicTensor, name, norm, activation, options.scale);
  }

  depthwise(x: SymbolicTensor, name: string, options: ConvOptions = {}): SymbolicTensor {
    const { norm = true, bias = !norm, activation = 'relu' } = options;
    const make = options.dilation === undefined ? layers.depthwiseConv2d : dilated;
    const conv = make({
      name,
      ...windowOf(options),
      useBias: bias,
      depthwiseInitializer: this.initial(`${name}/depthwise_kernel`, { scheme: 'he-normal', depthwise: true }),
    });
    return this.#finish(conv.apply(padded(x, name, options)) as SymbolicTensor, name, norm, activation);
  }

  norm(x: SymbolicTensor, name: string, scale = true): SymbolicTensor {
    return layers.batchNormalization({ name, scale, ...BATCH_NORM }).apply(x) as SymbolicTensor;
  }

  relu(x: SymbolicTensor, name: string): SymbolicTensor {
    return layers.reLU({ name }).apply(x) as SymbolicTensor;
  }

  dense(x: SymbolicTensor, name: string, units: number, scheme: SeededConfig['scheme'] = 'he-normal'): SymbolicTensor {
    const kernelInitializer = this.initial(`${name}/kernel`, { scheme });
    return layers.dense({ name, units, kernelInitializer }).apply(x) as SymbolicTensor;
  }

  /** Classifier: global mean over height and width, then a dense layer that gives logits. */
  classifier(x: SymbolicTensor, classes: number): SymbolicTensor {
    const pooled = layers.globalAveragePooling2d({ name: 'pool' }).apply(x) as SymbolicTensor;
    return this.dense(pooled, 'logits', classes, 'glorot-uniform');
  }

  /**
   * Sum over height and width with a learned weight for each position and channel, normalized over the batch: [batch, channels]. It is initialized
   * near the mean.
   */
  weightedSum(x: SymbolicTensor, name: string): SymbolicTensor {
    const kernelSize = x.shape.slice(1, 3) as [number, number];
    const conv = layers.depthwiseConv2d({
      name,
      kernelSize,
      padding: 'valid',
      useBias: false,
      depthwiseInitializer: this.initial(`${name}/depthwise_kernel`, { scheme: 'mean', depthwise: true }),
    });
    const y = this.norm(conv.apply(x) as SymbolicTensor, `${name}_bn`);
    return layers.flatten({ name: `${name}_flat` }).apply(y) as SymbolicTensor;
  }

  add(a: SymbolicTensor, b: SymbolicTensor, name: string): SymbolicTensor {
    return layers.add({ name }).apply([a, b]) as SymbolicTensor;
  }

  /** `noiseShape`: axes of size 1 along which all values are dropped together. */
  dropout(x: SymbolicTensor, name: string, rate: number, noiseShape?: (number | null)[]): SymbolicTensor {
    const shaped = noiseShape === undefined ? {} : { noiseShape: noiseShape as number[] };
    return rate === 0 ? x : (layers.dropout({ name, rate, ...shaped }).apply(x) as SymbolicTensor);
  }

  #finish(
    x: SymbolicTensor,
    name: string,
    norm: boolean,
    activation: 'relu' | 'relu6' | 'none',
    scale?: boolean,
  ): SymbolicTensor {
    const y = norm ? this.norm(x, `${name}_bn`, scale) : x;
    if (activation === 'none') return y;
    const relu = activation === 'relu6' ? { name: `${name}_relu`, maxValue: 6 } : { name: `${name}_relu` };
    return layers.reLU(relu).apply(y) as SymbolicTensor;
  }
}

const dilated = (config: Parameters<typeof layers.depthwiseConv2d>[0]): layers.Layer =>
  new DilatedDepthwise({ ...config });

function windowOf({ kernel = 3, stride = 1, dilation = 1, padding = 'same' }: ConvOptions) {
  const both = (size: Size): number | [number, number] => (typeof size === 'number' ? size : [...size]);
  const inside = padding === 'causal' ? 'valid' : padding;
  return { kernelSize: both(kernel), strides: both(stride), dilationRate: both(dilation), padding: inside };
}

const columnsOf = (size: Size): number => (typeof size === 'number' ? size : size[1]);

/** Columns that a filter sees before its own. */
export function columnsBefore({ kernel = 3, dilation = 1 }: ConvOptions): number {
  return (columnsOf(kernel) - 1) * columnsOf(dilation);
}

function padded(x: SymbolicTensor, name: string, options: ConvOptions): SymbolicTensor {
  const before = columnsBefore(options);
  if (options.padding !== 'causal' || before === 0) return x;
  const none: [number, number] = [0, 0];
  return layers.zeroPadding2d({ name: `${name}_past`, padding: [none, [before, 0]] }).apply(x) as SymbolicTensor;
}

/** Channels scaled by `width`, rounded to a multiple of 8 (SIMD lanes of every runtime), never below 8. */
export function channels(base: number, width: number): number {
  return Math.max(8, Math.round((base * width) / 8) * 8);
}
