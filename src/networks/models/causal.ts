import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers, type LayerVariable } from '@tensorflow/tfjs-layers';
import { SeededInitializer } from './initializers.ts';

type Shape = (number | null)[];

function only(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
  return Array.isArray(inputs) ? inputs[0]! : inputs;
}

function firstShape(shape: Shape | Shape[]): Shape {
  return Array.isArray(shape[0]) ? shape[0] : (shape as Shape);
}

/**
 * Vectors of token ids, and logits of vectors by the same matrix (Press & Wolf 2017, "Using the output embedding to improve language models"): ids
 * [batch, length] to [batch, length, size], and [batch, length, size] to [batch, length, vocabulary].
 */
export class TiedTokens extends layers.Layer {
  static readonly className = 'LimbeckTiedTokens';
  readonly #config: { readonly vocabulary: number; readonly size: number; readonly seed: number };
  #embeddings!: LayerVariable;

  constructor(config: { name?: string; vocabulary: number; size: number; seed: number }) {
    super(config);
    const { vocabulary, size, seed } = config;
    this.#config = { vocabulary, size, seed };
  }

  override build(): void {
    const { vocabulary, size, seed } = this.#config;
    const scheme = new SeededInitializer({ seed, stream: `${this.name}/embeddings`, scheme: 'normal' });
    this.#embeddings = this.addWeight('embeddings', [vocabulary, size], 'float32', scheme);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = only(inputs);
      const table = this.#embeddings.read() as tf.Tensor2D;
      if (x.rank === 2) return tf.gather(table, tf.cast(x, 'int32'));
      const [batch, length, size] = x.shape as [number, number, number];
      const rows = tf.matMul(tf.reshape<tf.Rank.R2>(x, [batch * length, size]), table, false, true);
      return tf.reshape(rows, [batch, length, this.#config.vocabulary]);
    });
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const shape = firstShape(inputShape);
    const { vocabulary, size } = this.#config;
    return shape.length === 2 ? [...shape, size] : [...shape.slice(0, -1), vocabulary];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.#config };
  }
}

/** x / root mean square of x · gain, over the last axis (Zhang & Sennrich 2019, "Root mean square layer normalization"). */
export class RmsNorm extends layers.Layer {
  static readonly className = 'LimbeckRmsNorm';
  readonly #epsilon: number;
  #gain!: LayerVariable;

  constructor(config: { name?: string; epsilon?: number }) {
    super(config);
    this.#epsilon = config.epsilon ?? 1e-5;
  }

  override build(inputShape: Shape | Shape[]): void {
    const size = firstShape(inputShape).at(-1)!;
    this.#gain = this.addWeight('gain', [size], 'float32', initializers.ones());
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = only(inputs);
      const scale = tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), this.#epsilon));
      return tf.mul(tf.mul(x, scale), this.#gain.read());
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), epsilon: this.#epsilon };
  }
}

/** x · sigmoid(x) (Elfwing et al. 2018, "Sigmoid-weighted linear units"). */
export class Swish extends layers.Layer {
  static readonly className = 'LimbeckSwish';

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = only(inputs);
      return tf.mul(x, tf.sigmoid(x));
    });
  }
}

/**
 * Places that each place of a sequence sees: itself and those before it, back to the last end of a text. Ids [batch, length] to what is added to
 * scores, [batch, length, length]: 0 for what is seen, else `HIDDEN`.
 */
export class CausalMask extends layers.Layer {
  static readonly className = 'LimbeckCausalMask';
  readonly #end: number;

  constructor(config: { name?: string; end?: number }) {
    super(config);
    this.#end = config.end ?? 0;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const ids = tf.cast(only(inputs), 'float32');
      const length = ids.shape[1]!;
      const past = lowerTriangle(length);
      // Number of ends up to each place: places of one text have the same.
      const text = tf.matMul(tf.cast<tf.Tensor2D>(tf.equal(ids, this.#end), 'float32'), past, false, true);
      const isSame = tf.cast(tf.equal(tf.expandDims(text, 2), tf.expandDims(text, 1)), 'float32');
      return tf.mul(tf.sub(1, tf.mul(isSame, past)), HIDDEN);
    });
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const [batch, length] = firstShape(inputShape);
    return [batch!, length!, length!];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), end: this.#end };
  }
}

/** Score of a place that is not seen: its share after softmax is exactly 0 in float32. */
const HIDDEN = -1e9;

/** [length, length]: 1 where the column is at most the row. */
function lowerTriangle(length: number): tf.Tensor2D {
  const values = new Float32Array(length * length);
  for (let row = 0; row < length; row++) values.fill(1, row * length, row * length + row + 1);
  return tf.tensor2d(values, [length, length]);
}

/** Base of the wavelengths of rotary positions, as in the paper. */
const BASE = 10_000;

/**
 * Causal self-attention with rotary positions (Su et al. 2021, "RoFormer") and grouped heads (Ainslie et al. 2023, "GQA"): x [batch, length, size] and
 * what a mask adds to scores [batch, length, length] to [batch, length, size]. Halves of a head's vector are rotated against each other, as in Llama.
 * No projection has a bias.
 */
export class CausalAttention extends layers.Layer {
  static readonly className = 'LimbeckCausalAttention';
  readonly #config: { readonly heads: number; readonly groups: number; readonly seed: number };
  readonly #weights: Record<string, LayerVariable> = {};

  constructor(config: { name?: string; heads: number; groups: number; seed: number }) {
    super(config);
    const { heads, groups, seed } = config;
    this.#config = { heads, groups, seed };
  }

  override build(inputShape: Shape | Shape[]): void {
    const { heads, groups, seed } = this.#config;
    const size = firstShape(inputShape).at(-1)!;
    const shared = (size / heads) * groups;
    for (const [part, units] of Object.entries({ query: size, key: shared, value: shared, output: size })) {
      const name = `${part}_kernel`;
      const kernel = new SeededInitializer({ seed, stream: `${this.name}/${name}`, scheme: 'glorot-uniform' });
      this.#weights[part] = this.addWeight(name, [size, units], 'float32', kernel);
    }
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const [x, mask] = inputs as [tf.Tensor3D, tf.Tensor3D];
      const { heads, groups } = this.#config;
      const [batch, length, size] = x.shape;
      const depth = size / heads;
      const rows = tf.reshape<tf.Rank.R2>(x, [batch * length, size]);
      const project = (part: string, count: number): tf.Tensor4D =>
        tf.transpose(
          tf.reshape<tf.Rank.R4>(tf.matMul(rows, this.#weights[part]!.read()), [batch, length, count, depth]),
          [0, 2, 1, 3],
        );
      const query = rotated(project('query', heads));
      // Heads of a group follow one another; their queries stand below one another against the keys of the group.
      const grouped = tf.reshape(query, [batch, groups, (heads / groups) * length, depth]);
      const scores = tf.mul(tf.matMul(grouped, rotated(project('key', groups)), false, true), 1 / Math.sqrt(depth));
      const seen = tf.add(tf.reshape(scores, [batch, heads, length, length]), tf.expandDims(mask, 1));
      const shares = tf.reshape(tf.softmax(seen), [batch, groups, (heads / groups) * length, length]);
      const mixed = tf.reshape(tf.matMul(shares, project('value', groups)), [batch, heads, length, depth]);
      const joined = tf.reshape<tf.Rank.R2>(tf.transpose(mixed, [0, 2, 1, 3]), [batch * length, size]);
      return tf.reshape(tf.matMul(joined, this.#weights['output']!.read()), [batch, length, size]);
    });
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return firstShape(inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.#config };
  }
}

/** Vectors [batch, heads, length, depth] rotated by angles that grow with their places. */
function rotated(x: tf.Tensor4D): tf.Tensor4D {
  const [batch, heads, length, depth] = x.shape;
  const half = depth / 2;
  const angles = Float64Array.from({ length: length * half }, (_, i) => {
    return Math.floor(i / half) * BASE ** (-(i % half) / half);
  });
  const [cos, sin] = [Math.cos, Math.sin].map((of) => tf.tensor2d(Float32Array.from(angles, of), [length, half]));
  const first = tf.slice(x, [0, 0, 0, 0], [batch, heads, length, half]);
  const second = tf.slice(x, [0, 0, 0, half], [batch, heads, length, half]);
  return tf.concat(
    [
      tf.sub<tf.Tensor4D>(tf.mul(first, cos!), tf.mul(second, sin!)),
      tf.add<tf.Tensor4D>(tf.mul(second, cos!), tf.mul(first, sin!)),
    ],
    -1,
  );
}

for (const layer of [TiedTokens, RmsNorm, Swish, CausalMask, CausalAttention]) tf.serialization.registerClass(layer);
