import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { single } from './types.ts';

type Shape = (number | null)[];
type Pair = [number, number];

/** Used members of tfjs' layer that are not in its public type. */
interface Inner extends layers.Layer {
  readonly strides: Pair;
  readonly kernelSize: Pair;
  readonly padding: 'same' | 'valid';
  readonly dilationRate: Pair;
  readonly depthwiseKernel: { read(): tf.Tensor4D };
  readonly bias: { read(): tf.Tensor } | null;
  readonly activation: { apply(x: tf.Tensor): tf.Tensor } | null;
}

type Config = Readonly<Record<string, unknown>>;
const Depthwise = layers.depthwiseConv2d({ kernelSize: 1 }).constructor as unknown as new (config: Config) => Inner;

/** A depthwise convolution that honours its `dilationRate`, unlike tfjs-layers'. Channels are the last axis. */
export class DilatedDepthwise extends Depthwise {
  static readonly className = 'LimbeckDilatedDepthwise';

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const { strides, padding, dilationRate, bias, activation } = this;
      const x = single(inputs) as tf.Tensor4D;
      const y = tf.depthwiseConv2d(x, this.depthwiseKernel.read(), strides, padding, 'NHWC', dilationRate);
      const sum = bias === null ? y : tf.add(y, bias.read());
      return activation === null ? sum : activation.apply(sum);
    });
  }

  override computeOutputShape(inputShape: Shape): Shape {
    const shape = super.computeOutputShape(inputShape) as Shape;
    if (this.padding === 'same') return shape;
    const size = (i: 0 | 1): number | null => {
      const from = inputShape[i + 1]!;
      const reach = (this.kernelSize[i] - 1) * this.dilationRate[i] + 1;
      return from === null ? null : Math.floor((from - reach) / this.strides[i]) + 1;
    };
    return [shape[0]!, size(0), size(1), shape[3]!];
  }
}

tf.serialization.registerClass(DilatedDepthwise as unknown as Parameters<typeof tf.serialization.registerClass>[0]);
