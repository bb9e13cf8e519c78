import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers, type LayerVariable } from '@tensorflow/tfjs-layers';
import { batchNormTrain } from '../../trace/ops/batch-norm.ts';

type Shape = (number | null)[];

interface Config {
  readonly name?: string;
  readonly bands: number;
  readonly momentum: number;
  readonly epsilon: number;
}

/**
 * Batch norm of [batch, time, frequency, channels] with separate statistics, scales and offsets for each of `bands` parts of the frequencies (Chang
 * et al. 2021, "SubSpectral normalization for neural audio data processing"). After training it is a scale and an offset for each frequency and
 * channel.
 */
export class SubSpectralNorm extends layers.Layer {
  static readonly className = 'LimbeckSubSpectralNorm';
  readonly #config: Config;
  #gamma!: LayerVariable;
  #beta!: LayerVariable;
  #mean!: LayerVariable;
  #variance!: LayerVariable;

  constructor(config: Config) {
    super(config);
    this.#config = config;
  }

  override build(inputShape: Shape | Shape[]): void {
    const shape = [this.#config.bands * (inputShape as Shape).at(-1)!];
    const [zeros, ones] = [initializers.zeros(), initializers.ones()];
    this.#gamma = this.addWeight('gamma', shape, 'float32', ones);
    this.#beta = this.addWeight('beta', shape, 'float32', zeros);
    this.#mean = this.addWeight('moving_mean', shape, 'float32', zeros, undefined, false);
    this.#variance = this.addWeight('moving_variance', shape, 'float32', ones, undefined, false);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], { training }: { training?: boolean }): tf.Tensor {
    return tf.tidy(() => {
      const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D;
      return training === true ? this.#trained(x) : this.#fixed(x);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { bands, momentum, epsilon } = this.#config;
    return { ...super.getConfig(), bands, momentum, epsilon };
  }

  #trained(x: tf.Tensor4D): tf.Tensor {
    const { bands, momentum, epsilon } = this.#config;
    const [, time, frequencies, channels] = x.shape;
    const inBand = frequencies / bands;
    const swapped = [0, 1, 3, 2, 4];
    const byBand = tf.transpose(tf.reshape(x, [-1, time, bands, inBand, channels]), swapped);
    const flat = tf.reshape(byBand, [-1, time, inBand, bands * channels]);
    const { y, mean, variance } = batchNormTrain(flat, this.#gamma.read(), this.#beta.read(), epsilon);
    const moved = (variable: LayerVariable, value: tf.Tensor): void => {
      const before = variable.read();
      variable.write(tf.sub(before, tf.mul(tf.sub(before, value), 1 - momentum)));
    };
    moved(this.#mean, mean);
    moved(this.#variance, variance);
    const back = tf.transpose(tf.reshape(y, [-1, time, inBand, bands, channels]), swapped);
    return tf.reshape(back, [-1, time, frequencies, channels]);
  }

  #fixed(x: tf.Tensor4D): tf.Tensor {
    const { bands, epsilon } = this.#config;
    const [, , frequencies, channels] = x.shape;
    const factor = tf.mul(this.#gamma.read(), tf.rsqrt(tf.add(this.#variance.read(), epsilon)));
    const offset = tf.sub(this.#beta.read(), tf.mul(this.#mean.read(), factor));
    // With one band there is a factor for each channel, which folds into the convolution before it.
    const spread = (values: tf.Tensor): tf.Tensor =>
      bands === 1
        ? values
        : tf.reshape(tf.tile(tf.reshape(values, [bands, 1, channels]), [1, frequencies / bands, 1]), [
            frequencies,
            channels,
          ]);
    return tf.add(tf.mul(x, spread(factor)), spread(offset));
  }
}

tf.serialization.registerClass(SubSpectralNorm);
