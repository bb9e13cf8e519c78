import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers, type LayerVariable } from '@tensorflow/tfjs-layers';
import { SeededInitializer, type Scheme } from './initializers.ts';

type Shape = (number | null)[];

function only(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
  return Array.isArray(inputs) ? inputs[0]! : inputs;
}

function firstShape(shape: Shape | Shape[]): Shape {
  return Array.isArray(shape[0]) ? shape[0] : (shape as Shape);
}

/**
 * Layer norm over the last axis (Ba et al. 2016), from means and products: tfjs-layers' own tiles its statistics to the full shape and uses the
 * batch-norm kernel.
 */
export class LayerNorm extends layers.Layer {
  static readonly className = 'LimbeckLayerNorm';
  readonly #epsilon: number;
  #gamma!: LayerVariable;
  #beta!: LayerVariable;

  constructor(config: { name?: string; epsilon?: number }) {
    super(config);
    this.#epsilon = config.epsilon ?? 1e-5;
  }

  override build(inputShape: Shape | Shape[]): void {
    const size = firstShape(inputShape).at(-1)!;
    this.#gamma = this.addWeight('gamma', [size], 'float32', initializers.ones());
    this.#beta = this.addWeight('beta', [size], 'float32', initializers.zeros());
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = only(inputs);
      const centred = tf.sub(x, tf.mean(x, -1, true));
      const variance = tf.mean(tf.square(centred), -1, true);
      const normed = tf.mul(centred, tf.rsqrt(tf.add(variance, this.#epsilon)));
      return tf.add(tf.mul(normed, this.#gamma.read()), this.#beta.read());
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), epsilon: this.#epsilon };
  }
}

/**
 * x · Φ(x), with the gradient Φ(x) + x · φ(x) in six ops instead of tfjs' ten: u = x / √2, and the factor of the density φ(x) = e^(-u²) / √(2π) is in
 * the exponent.
 */
const gelu = tf.customGrad((x, save) => {
  // The gradient can save only inputs and results; parts that it computes again are merged in the graph.
  const parts = (of: tf.Tensor) => {
    const u = tf.mul(of, Math.SQRT1_2);
    return { u, distribution: tf.mul(tf.add(tf.erf(u), 1), 0.5) };
  };
  (save as tf.GradSaveFunc)([x as tf.Tensor]);
  return {
    value: tf.mul(x as tf.Tensor, parts(x as tf.Tensor).distribution),
    gradFunc: (dy: tf.Tensor, [saved]: tf.Tensor[]) => {
      const { u, distribution } = parts(saved!);
      const density = tf.exp(tf.sub(-Math.log(Math.PI) / 2, tf.square(u)));
      return tf.mul(dy, tf.add(distribution, tf.mul(u, density)));
    },
  };
});

/** Gelu by the error function (Hendrycks & Gimpel 2016, equation 1). */
export class Gelu extends layers.Layer {
  static readonly className = 'LimbeckGelu';

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => gelu(only(inputs)));
  }
}

/** Adds a learned vector per position to [batch, length, size]. */
export class PositionEmbedding extends layers.Layer {
  static readonly className = 'LimbeckPositionEmbedding';
  readonly #seed: number;
  #positions!: LayerVariable;

  constructor(config: { name?: string; seed: number }) {
    super(config);
    this.#seed = config.seed;
  }

  override build(inputShape: Shape | Shape[]): void {
    const [, length, size] = firstShape(inputShape) as [null, number, number];
    const scheme = new SeededInitializer({ seed: this.#seed, stream: `${this.name}/positions`, scheme: 'normal' });
    this.#positions = this.addWeight('positions', [length, size], 'float32', scheme);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => tf.add(only(inputs), this.#positions.read()));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), seed: this.#seed };
  }
}

/** Token ids [batch, length] to a mask: 1 for tokens, 0 for padding. */
export class TokenMask extends layers.Layer {
  static readonly className = 'LimbeckTokenMask';
  readonly #padding: number;

  constructor(config: { name?: string; padding?: number }) {
    super(config);
    this.#padding = config.padding ?? 0;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => tf.cast(tf.notEqual(tf.cast(only(inputs), 'float32'), this.#padding), 'float32'));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), padding: this.#padding };
  }
}

/** Sets vectors of [batch, length, size] to 0 where the mask [batch, length] is 0. */
export class MaskedTokens extends layers.Layer {
  static readonly className = 'LimbeckMaskedTokens';

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const [x, mask] = inputs as [tf.Tensor, tf.Tensor];
      return tf.mul(x, tf.expandDims(mask, -1));
    });
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return firstShape(inputShape);
  }
}

/** Mean over the tokens of [batch, length, size] whose mask [batch, length] is 1. */
export class MaskedMean extends layers.Layer {
  static readonly className = 'LimbeckMaskedMean';

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const [x, mask] = inputs as [tf.Tensor, tf.Tensor];
      const kept = tf.squeeze(tf.matMul(tf.expandDims(mask, 1), x), [1]);
      return tf.div(kept, tf.maximum(tf.sum(mask, 1, true), 1));
    });
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const [batch, , size] = firstShape(inputShape);
    return [batch!, size!];
  }
}

/** Score of a padded token: its share after softmax is exactly 0 in float32. */
const MASKED_SCORE = -1e9;

/**
 * Multi-head self-attention (Vaswani et al. 2017, section 3.2): x [batch, length, size] and mask [batch, length] to
 * [batch, length, size].
 */
export class SelfAttention extends layers.Layer {
  static readonly className = 'LimbeckSelfAttention';
  readonly #heads: number;
  readonly #seed: number;
  readonly #weights: Record<string, LayerVariable> = {};

  constructor(config: { name?: string; heads: number; seed: number }) {
    super(config);
    this.#heads = config.heads;
    this.#seed = config.seed;
  }

  override build(inputShape: Shape | Shape[]): void {
    const size = firstShape(inputShape).at(-1)!;
    for (const part of ['query', 'key', 'value', 'output']) {
      const scheme: Scheme = 'glorot-uniform';
      const kernel = new SeededInitializer({ seed: this.#seed, stream: `${this.name}/${part}_kernel`, scheme });
      this.#weights[`${part}_kernel`] = this.addWeight(`${part}_kernel`, [size, size], 'float32', kernel);
      this.#weights[`${part}_bias`] = this.addWeight(`${part}_bias`, [size], 'float32', initializers.zeros());
    }
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const [x, mask] = inputs as [tf.Tensor3D, tf.Tensor2D];
      const [batch, length, size] = x.shape;
      const depth = size / this.#heads;
      const heads = (part: string): tf.Tensor =>
        tf.transpose(tf.reshape(this.#project(x, part), [batch, length, this.#heads, depth]), [0, 2, 1, 3]);
      const scores = tf.mul(tf.matMul(heads('query'), heads('key'), false, true), 1 / Math.sqrt(depth));
      const bias = tf.mul(tf.sub(1, tf.reshape(mask, [batch, 1, 1, length])), MASKED_SCORE);
      const mixed = tf.matMul(tf.softmax(tf.add(scores, bias)), heads('value'));
      const joined = tf.reshape<tf.Rank.R3>(tf.transpose(mixed, [0, 2, 1, 3]), [batch, length, size]);
      return this.#project(joined, 'output');
    });
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return firstShape(inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), heads: this.#heads, seed: this.#seed };
  }

  #project(x: tf.Tensor3D, part: string): tf.Tensor {
    const [batch, length, size] = x.shape;
    const rows = tf.matMul(tf.reshape(x, [batch * length, size]), this.#weights[`${part}_kernel`]!.read());
    return tf.reshape(tf.add(rows, this.#weights[`${part}_bias`]!.read()), [batch, length, size]);
  }
}

for (const layer of [LayerNorm, Gelu, PositionEmbedding, TokenMask, MaskedTokens, MaskedMean, SelfAttention]) {
  tf.serialization.registerClass(layer);
}
