import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { single } from './types.ts';

interface Inner extends layers.Layer {
  readonly size: readonly [number, number];
  readonly dataFormat: string;
}

type Config = Readonly<Record<string, unknown>>;
const UpSampling = layers.upSampling2d({}).constructor as unknown as new (config: Config) => Inner;

/** Bilinear upsampling that interpolates between pixel centres, as Keras and PyTorch do; tfjs-layers' interpolates between corners. */
export class BilinearUpSampling extends UpSampling {
  static readonly className = 'KerasUpSampling2D';

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = single(inputs) as tf.Tensor4D;
    const isFirst = this.dataFormat === 'channelsFirst';
    const last = isFirst ? tf.transpose(x, [0, 2, 3, 1]) : x;
    const size: [number, number] = [last.shape[1] * this.size[0], last.shape[2] * this.size[1]];
    const y = tf.image.resizeBilinear(last, size, false, true);
    return isFirst ? tf.transpose(y, [0, 3, 1, 2]) : y;
  }
}

tf.serialization.registerClass(BilinearUpSampling as unknown as Parameters<typeof tf.serialization.registerClass>[0]);
