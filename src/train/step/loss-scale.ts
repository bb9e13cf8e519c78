import * as tf from '@tensorflow/tfjs-core';
import type { Tensors, Variables } from '../../networks/network.ts';

/** Initial scale of NVIDIA's mixed-precision recipe and of PyTorch's GradScaler. */
const INITIAL = 2 ** 16;
const LARGEST = 2 ** 24;
const STEPS_TO_GROW = 2000;

/**
 * Dynamic loss scaling (Micikevicius et al. 2018, section 3.2): the loss is multiplied before differentiation, so that small gradients do not vanish
 * in float16, and the gradients are divided by the same factor. After an overflow the step changes no weight and the factor is halved; after 2,000
 * steps without overflow it is doubled. Factor and counter are variables of the step, so saved states include them.
 */
export class LossScale {
  readonly #factor = tf.variable(tf.scalar(INITIAL), false);
  /** Steps since the last overflow or change of the factor. */
  readonly #steps = tf.variable(tf.scalar(0), false);
  readonly #prefix: string;

  /** `prefix`: of the state names, for a training with several scales. */
  constructor(prefix = '') {
    this.#prefix = prefix;
  }

  /** Variables by state name. */
  get variables(): Variables {
    const prefix = `${this.#prefix}lossScale/`;
    return { [`${prefix}factor`]: this.#factor, [`${prefix}steps`]: this.#steps };
  }

  scaled(loss: tf.Scalar): tf.Scalar {
    return tf.mul(loss, this.#factor);
  }

  /** Calls `update` with the unscaled gradients. If any is not finite, `update` gets zeros and every variable of `state` keeps its value. */
  apply(gradients: Tensors, state: Variables, update: (gradients: Tensors) => void): void {
    const finite = Object.values(gradients)
      .map((gradient) => tf.min(tf.cast(tf.isFinite(gradient), 'float32')))
      .reduce((all, one) => tf.mul(all, one));
    const isFinite = tf.greater(finite, 0);
    const before = Object.values(state).map((variable) => [variable, variable.clone()] as const);
    const plain = Object.entries(gradients).map(([name, gradient]) => [
      name,
      tf.where(isFinite, tf.div(gradient, this.#factor), tf.zerosLike(gradient)),
    ]);
    update(Object.fromEntries(plain) as Tensors);
    for (const [variable, old] of before) variable.assign(tf.where(isFinite, variable, old));
    this.#adapt(isFinite, finite);
  }

  #adapt(isFinite: tf.Tensor, finite: tf.Tensor): void {
    const steps = tf.mul(tf.add(this.#steps, 1), finite);
    const grows = tf.greaterEqual(steps, STEPS_TO_GROW);
    const larger = tf.minimum(tf.mul(this.#factor, 2), LARGEST);
    const smaller = tf.maximum(tf.div(this.#factor, 2), 1);
    this.#factor.assign(tf.where(isFinite, tf.where(grows, larger, this.#factor), smaller) as tf.Scalar);
    this.#steps.assign(tf.where(grows, tf.zerosLike(steps), steps) as tf.Scalar);
  }
}
