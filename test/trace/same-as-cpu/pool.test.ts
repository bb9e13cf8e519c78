import * as tf from '@tensorflow/tfjs-core';
import type { Case, Fn } from '../../support/same-as-cpu.ts';
import { describeSameAsCpu } from '../../support/same-as-cpu.ts';

type Pool = (x: tf.Tensor4D, filter: [number, number], stride: number, pad: 'same' | 'valid') => tf.Tensor;

/** tfjs divides the gradient at padded borders by the whole window; this is the average over what is inside. */
const averageInside: Pool = (x, filter, stride, pad) => {
  const [, height, width, channels] = x.shape;
  const sum = tf.depthwiseConv2d(x, tf.ones([...filter, channels, 1]), stride, pad);
  const counts = tf.depthwiseConv2d(
    tf.ones<tf.Rank.R4>([1, height, width, 1]),
    tf.ones([...filter, 1, 1]),
    stride,
    pad,
  );
  return tf.div(sum, counts);
};

function grid(pool: Pool, reference?: Pool): Case[] {
  const filters: [number, number][] = [[2, 2], [3, 3], [2, 3]]; // prettier-ignore
  const sizes: [number, number][] = [[6, 6], [5, 7]]; // prettier-ignore
  const fn =
    (run: Pool, ...[filter, stride, pad]: [[number, number], number, 'same' | 'valid']): Fn =>
    (x) =>
      run(x as tf.Tensor4D, filter, stride, pad);
  return filters.flatMap((filter) =>
    sizes.flatMap((size) =>
      [1, 2, 3].flatMap((stride) =>
        (['same', 'valid'] as const).map((pad): Case => [
          `${filter.join('×')} over ${size.join('×')}, stride ${stride}, ${pad}`,
          fn(pool, filter, stride, pad),
          [[2, ...size, 3]],
          reference === undefined ? {} : { reference: fn(reference, filter, stride, pad) },
        ]),
      ),
    ),
  );
}

describeSameAsCpu('max pooling', [
  ...grid((x, filter, stride, pad) => tf.maxPool(x, filter, stride, pad)),
  ['equal values: the first takes the gradient', (x) => tf.maxPool(tf.round(x) as tf.Tensor4D, 3, 2, 'same'), [[2, 7, 7, 2]], { gradient: false }],
  ['global', (x) => tf.max(x, [1, 2]), [[2, 5, 4, 3]]],
  ['with dilation', (x) => tf.pool(x as tf.Tensor4D, [2, 2], 'max', 'same', [2, 2], [1, 1]), [[2, 6, 6, 2]]],
  ['1-D', (x) => tf.pool(x as tf.Tensor3D, 2, 'max', 'valid', 1, 2), [[6, 6, 2]]],
]); // prettier-ignore

describeSameAsCpu('average pooling', [
  ...grid((x, filter, stride, pad) => tf.avgPool(x, filter, stride, pad), averageInside),
  ['global', (x) => tf.mean(x, [1, 2]), [[2, 5, 4, 3]]],
  ['3-D', (x) => tf.avgPool3d(x as tf.Tensor5D, 2, 2, 'valid'), [[2, 4, 4, 6, 2]]],
]); // prettier-ignore

describeSameAsCpu('3-D', [
  ['convolution', (x, f) => tf.conv3d(x as tf.Tensor5D, f as tf.Tensor5D, 1, 'same'), [[2, 4, 5, 3, 2], [2, 3, 3, 2, 3]]],
  ['convolution, stride 2', (x, f) => tf.conv3d(x as tf.Tensor5D, f as tf.Tensor5D, 2, 'valid'), [[2, 5, 5, 5, 2], [3, 3, 3, 2, 3]]],
  ['max pooling', (x) => tf.maxPool3d(x as tf.Tensor5D, 2, 2, 'valid'), [[2, 4, 4, 6, 2]]],
]); // prettier-ignore
