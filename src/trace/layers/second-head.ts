import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { single } from './types.ts';

type Call = Readonly<Record<string, unknown>> | undefined;

/** Its input, of which no gradient flows back. */
export class StoppedGradient extends layers.Layer {
  static readonly className = 'LimbeckStoppedGradient';

  override call(inputs: tf.Tensor | tf.Tensor[], options?: Call): tf.Tensor {
    const x = single(inputs);
    if (options?.['training'] !== true) return x;
    return tf.customGrad((given) => {
      const value = given as tf.Tensor;
      return { value: tf.clone(value), gradFunc: () => tf.zerosLike(value) };
    })(x);
  }

  override computeOutputShape(inputShape: (number | null)[]): (number | null)[] {
    return inputShape;
  }
}

/** The first of two inputs [batch, points, width]; in training [batch, 2 · points, width], the second behind it. What leads to the second is in no file. */
export class BesideInTraining extends layers.Layer {
  static readonly className = 'LimbeckBesideInTraining';

  override call(inputs: tf.Tensor | tf.Tensor[], options?: Call): tf.Tensor {
    const [first, second] = inputs as [tf.Tensor, tf.Tensor];
    return options?.['training'] === true ? tf.concat([first, second], 1) : first;
  }

  override computeOutputShape(inputShapes: (number | null)[][]): (number | null)[] {
    return inputShapes[0]!;
  }
}

for (const layer of [StoppedGradient, BesideInTraining]) tf.serialization.registerClass(layer);
