import * as tf from '@tensorflow/tfjs-core';
import type { Case, Fn } from '../../support/same-as-cpu.ts';
import { describeSameAsCpu } from '../../support/same-as-cpu.ts';

type Pad = 'same' | 'valid' | number | tf.backend_util.ExplicitPadding;

const conv =
  (strides: number | [number, number], pad: Pad, dilation: number | [number, number] = 1): Fn =>
  (x, filter) =>
    tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, strides, pad, 'NHWC', dilation);

const depthwise =
  (strides: number | [number, number], pad: Pad, dilation: number | [number, number] = 1): Fn =>
  (x, filter) =>
    tf.depthwiseConv2d(x as tf.Tensor4D, filter as tf.Tensor4D, strides, pad, 'NHWC', dilation);

/** tfjs refuses gradients with dilation: the same filter with zeros between its taps. */
function dilated(filter: tf.Tensor, rate: number): tf.Tensor {
  const [height, width, from, to] = filter.shape as [number, number, number, number];
  const apart = tf.pad(tf.reshape(filter, [height, 1, width, 1, from, to]), [
    ...[
      [0, 0],
      [0, rate - 1],
      [0, 0],
      [0, rate - 1],
      [0, 0],
      [0, 0],
    ],
  ] as [number, number][]);
  const long = tf.reshape(apart, [height * rate, width * rate, from, to]);
  return tf.slice(long, [0, 0, 0, 0], [(height - 1) * rate + 1, (width - 1) * rate + 1, from, to]);
}

const STRIDES = [1, 2, 3] as const;
const PADS: readonly Pad[] = [
  'same',
  'valid',
  1,
  [
    [0, 0],
    [2, 0],
    [0, 1],
    [0, 0],
  ],
];
const SIZES = [
  [5, 5],
  [6, 7],
  [8, 4],
] as const;
const show = (pad: Pad): string => (Array.isArray(pad) ? 'explicit' : String(pad));

function grid(
  make: typeof conv,
  filters: readonly (readonly [number, number])[],
  channels: readonly [number, number],
): Case[] {
  return STRIDES.flatMap((stride) =>
    PADS.flatMap((pad) =>
      SIZES.flatMap((size) =>
        filters.map((filter): Case => [
          `${filter.join('×')} over ${size.join('×')}, stride ${stride}, padding ${show(pad)}`,
          make(stride, pad),
          [
            [2, ...size, channels[0]],
            [...filter, ...channels],
          ],
        ]),
      ),
    ),
  );
}

function dilations(make: typeof conv, channels: readonly [number, number]): Case[] {
  return [2, 3].flatMap((rate) =>
    (['same', 'valid'] as const).flatMap((pad) =>
      [
        [9, 9],
        [10, 8],
      ].map((size): Case => [
        `3×3 over ${size.join('×')}, dilation ${rate}, padding ${pad}`,
        make(1, pad, rate),
        [
          [2, ...size, channels[0]],
          [3, 3, ...channels],
        ],
        { reference: (x, filter) => make(1, pad)(x, dilated(filter, rate)) },
      ]),
    ),
  );
}

describeSameAsCpu('convolution', [
  ...grid(conv, [[3, 3], [1, 1], [2, 4]], [3, 4]),
  ...dilations(conv, [3, 4]),
  ['strides that differ', conv([2, 1], 'same'), [[2, 7, 6, 3], [3, 3, 3, 4]]],
  ['channels first', (x, f) => tf.conv2d(x as tf.Tensor4D, f as tf.Tensor4D, 1, 'same', 'NCHW'), [[2, 3, 5, 6], [3, 3, 3, 4]], { reference: (x, f) => tf.transpose(tf.conv2d(tf.transpose(x, [0, 2, 3, 1]) as tf.Tensor4D, f as tf.Tensor4D, 1, 'same'), [0, 3, 1, 2]) }],
  ['1-D, stride 2', (x, f) => tf.conv1d(x as tf.Tensor3D, f as tf.Tensor3D, 2, 'same'), [[2, 9, 3], [3, 3, 4]]],
  ['1-D, valid', (x, f) => tf.conv1d(x as tf.Tensor3D, f as tf.Tensor3D, 1, 'valid'), [[2, 9, 3], [4, 3, 4]]],
  ['fused with bias and relu', (x, f, bias) => tf.fused.conv2d({ x: x as tf.Tensor4D, filter: f as tf.Tensor4D, strides: 1, pad: 'same', bias: bias, activation: 'relu' }), [[2, 5, 5, 3], [3, 3, 3, 4], [4]]],
]); // prettier-ignore

describeSameAsCpu('depthwise convolution', [
  ...grid(depthwise, [[3, 3], [2, 2]], [3, 2]).filter(([name]) => !name.includes('padding 1')),
  ...dilations(depthwise, [3, 1]),
  ['fused with bias and relu6', (x, f, bias) => tf.fused.depthwiseConv2d({ x: x as tf.Tensor4D, filter: f as tf.Tensor4D, strides: 1, pad: 'same', bias: bias, activation: 'relu6' }), [[2, 5, 5, 3], [3, 3, 3, 1], [3]]],
  ['separable', (x, d, p) => tf.separableConv2d(x as tf.Tensor4D, d as tf.Tensor4D, p as tf.Tensor4D, 1, 'same'), [[2, 6, 5, 3], [3, 3, 3, 2], [1, 1, 6, 4]]],
]); // prettier-ignore

const transposed =
  (stride: number, pad: 'same' | 'valid', output: readonly [number, number]): Fn =>
  (x, filter) =>
    tf.conv2dTranspose(x as tf.Tensor4D, filter as tf.Tensor4D, [2, ...output, 3], stride, pad);

describeSameAsCpu('transposed convolution', [
  ['stride 1, same', transposed(1, 'same', [5, 4]), [[2, 5, 4, 2], [3, 3, 3, 2]]],
  ['stride 2, same, even', transposed(2, 'same', [10, 8]), [[2, 5, 4, 2], [3, 3, 3, 2]]],
  ['stride 2, same, odd', transposed(2, 'same', [9, 7]), [[2, 5, 4, 2], [3, 3, 3, 2]]],
  ['stride 2, valid', transposed(2, 'valid', [11, 9]), [[2, 5, 4, 2], [3, 3, 3, 2]]],
  ['stride 3, valid, gaps', transposed(3, 'valid', [14, 11]), [[2, 5, 4, 2], [2, 2, 3, 2]]],
]); // prettier-ignore
