import * as tf from '@tensorflow/tfjs-core';
import { normalFeed, uniformFeed } from '../random.ts';
import type { LayerLike } from './types.ts';
import { single } from './types.ts';

type Options = Readonly<Record<string, unknown>>;

function drops({ rate }: LayerLike, { training }: Options): boolean {
  return training === true && rate > 0 && rate < 1;
}

/** Inverted dropout (Srivastava et al. 2014): kept values are scaled by 1 / (1 - rate). */
export function dropoutMask(x: tf.Tensor, rate: number, noiseShape: readonly number[] = x.shape): tf.Tensor {
  const kept = tf.cast(tf.greaterEqual(uniformFeed(noiseShape), rate), 'float32');
  return tf.mul(x, tf.mul(kept, 1 / (1 - rate)));
}

export function dropout(layer: LayerLike, inputs: unknown, options: Options): tf.Tensor | undefined {
  if (!drops(layer, options)) return undefined;
  const x = single(inputs);
  return tf.tidy(() => dropoutMask(x, layer.rate, layer.getNoiseShape?.(x) ?? x.shape));
}

export function gaussianNoise({ stddev }: LayerLike, inputs: unknown, { training }: Options): tf.Tensor | undefined {
  if (training !== true) return undefined;
  const x = single(inputs);
  return tf.tidy(() => tf.add(x, tf.mul(normalFeed(x.shape), stddev)));
}

export function gaussianDropout(layer: LayerLike, inputs: unknown, options: Options): tf.Tensor | undefined {
  if (!drops(layer, options)) return undefined;
  const x = single(inputs);
  const deviation = Math.sqrt(layer.rate / (1 - layer.rate));
  return tf.tidy(() => tf.mul(x, tf.add(1, tf.mul(normalFeed(x.shape), deviation))));
}

/** Klambauer et al. 2017, section "Alpha dropout": dropped units saturate, then mean and variance are restored. */
export function alphaDropout(layer: LayerLike, inputs: unknown, options: Options): tf.Tensor | undefined {
  if (!drops(layer, options)) return undefined;
  const x = single(inputs);
  const shape = (layer.noiseShape as readonly number[] | null | undefined) ?? x.shape;
  const saturation = -1.6732632423543772 * 1.0507009873554805;
  const a = 1 / Math.sqrt((1 - layer.rate) * (1 + layer.rate * saturation ** 2));
  const b = -a * saturation * layer.rate;
  return tf.tidy(() => {
    const kept = tf.cast(tf.greaterEqual(uniformFeed(shape), layer.rate), 'float32');
    const dropped = tf.add(tf.mul(x, kept), tf.mul(tf.sub(1, kept), saturation));
    return tf.add(tf.mul(dropped, a), b);
  });
}
