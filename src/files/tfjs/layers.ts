import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { BilinearUpSampling } from '../../trace/layers/bilinear-up-sampling.ts';
import { DilatedDepthwise } from '../../trace/layers/dilated-depthwise.ts';

type Shape = (number | null)[];
type Pair = [number, number];
type Config = Readonly<Record<string, unknown>>;

/** Used members of a layer; many are missing in its public types. */
interface Inner {
  readonly strides: Pair;
  readonly kernelSize: Pair;
  readonly padding: 'same' | 'valid';
  readonly filters: number;
  readonly maxValue?: number | null;
  readonly kernel: { read(): Tensor4D };
  readonly bias: { read(): Tensor } | null;
  readonly activation: { apply(x: Tensor): Tensor } | null;
  computeOutputShape(inputShape: Shape): Shape;
  getConfig(): Config;
}

type LayerClass = (new (config: Config) => Inner) & { className: string };

/** Class of a layer, for deriving from it. */
const classOf = (like: layers.Layer): LayerClass => like.constructor as unknown as LayerClass;

const single = (inputs: unknown): Tensor4D => (Array.isArray(inputs) ? inputs[0] : inputs) as Tensor4D;

function finished({ bias, activation }: Inner, y: Tensor): Tensor {
  const sum = bias === null ? y : tf.add(y, bias.read());
  return activation === null ? sum : activation.apply(sum);
}

/** x above the threshold, below it slope times (x - threshold), limited by the maximum. */
class SlopedRelu extends classOf(layers.reLU()) {
  static override className = 'KerasReLU';
  readonly #slope: number;
  readonly #threshold: number;

  constructor(config: Config) {
    super(config);
    this.#slope = Number(config['negativeSlope'] ?? 0);
    this.#threshold = Number(config['threshold'] ?? 0);
  }

  override getConfig(): Config {
    return { ...super.getConfig(), negativeSlope: this.#slope, threshold: this.#threshold };
  }

  call(inputs: unknown): Tensor {
    const x = single(inputs);
    const [slope, threshold] = [this.#slope, this.#threshold];
    const y = threshold === 0 ? tf.leakyRelu(x, slope) : thresholded(x, slope, threshold);
    return this.maxValue === undefined || this.maxValue === null ? y : tf.minimum(y, this.maxValue);
  }
}

function thresholded(x: Tensor, slope: number, threshold: number): Tensor {
  const above = tf.mul(x, tf.cast(tf.greaterEqual(x, threshold), 'float32'));
  return slope === 0 ? above : tf.add(above, tf.mul(tf.minimum(tf.sub(x, threshold), 0), slope));
}

/** Channels are the last axis. https://keras.io/api/layers/convolution_layers/convolution2d_transpose/ */
class PaddedTranspose extends classOf(layers.conv2dTranspose({ filters: 1, kernelSize: 1 })) {
  static override className = 'KerasConv2DTranspose';
  readonly #outputPadding: Pair;

  constructor(config: Config) {
    super(config);
    const given = config['outputPadding'] as number | Pair;
    this.#outputPadding = typeof given === 'number' ? [given, given] : given;
  }

  override getConfig(): Config {
    return { ...super.getConfig(), outputPadding: this.#outputPadding };
  }

  call(inputs: unknown): Tensor {
    const x = single(inputs);
    const shape = this.computeOutputShape(x.shape) as [number, number, number, number];
    return finished(this, tf.conv2dTranspose(x, this.kernel.read(), shape, this.strides, this.padding));
  }

  override computeOutputShape([batch, height, width]: Shape): Shape {
    const size = (from: number | null, i: 0 | 1): number | null => {
      const kernel = this.kernelSize[i];
      const cut = this.padding === 'same' ? 2 * Math.floor(kernel / 2) : 0;
      return from === null ? null : (from - 1) * this.strides[i] + kernel - cut + this.#outputPadding[i];
    };
    return [batch!, size(height!, 0), size(width!, 1), this.filters];
  }
}

let registered = false;

/** Registers these layers with tfjs-layers, once. */
export function registerKerasLayers(): void {
  if (registered) return;
  registered = true;
  for (const layer of [SlopedRelu, PaddedTranspose])
    tf.serialization.registerClass(layer as unknown as Parameters<typeof tf.serialization.registerClass>[0]);
}

/** A replacement for a layer of tfjs-layers, and the keys that only the replacement reads. */
export interface KerasLayer {
  readonly className: string;
  readonly config: Config;
  readonly reads: readonly string[];
}

/** A layer that honours all settings in the file, if the one in tfjs-layers does not and a replacement exists. */
export function kerasLayer(className: string, config: Config): KerasLayer | undefined {
  const isLast = (config['data_format'] ?? 'channels_last') === 'channels_last';
  const isSet = (key: string, usual?: number): boolean => {
    const value = config[key] ?? [];
    return [value].flat().some((one) => one !== usual);
  };
  if (className === 'DepthwiseConv2D' && isLast && isSet('dilation_rate', 1))
    return { className: DilatedDepthwise.className, config, reads: ['dilation_rate'] };
  if (className === 'UpSampling2D' && config['interpolation'] === 'bilinear')
    return { className: BilinearUpSampling.className, config, reads: ['interpolation'] };
  if (className === 'ReLU' && (isSet('negative_slope', 0) || isSet('threshold', 0)))
    return { className: SlopedRelu.className, config, reads: ['negative_slope', 'threshold'] };
  if (className === 'Conv2DTranspose' && isLast && isSet('output_padding'))
    return { className: PaddedTranspose.className, config, reads: ['output_padding'] };
  const { negative_slope: alpha, ...rest } = config;
  if (className === 'LeakyReLU' && alpha !== undefined)
    return { className, config: { ...rest, alpha }, reads: ['negative_slope'] };
  return undefined;
}
