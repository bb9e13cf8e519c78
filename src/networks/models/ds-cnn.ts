import { input } from '@tensorflow/tfjs-layers';
import { channels } from './blocks.ts';
import { family, imageInputShape, network } from './builder.ts';
import { integer, integerList, real } from './options.ts';

/** Filters of the full convolutions before the first depthwise block. */
const STEM = [16, 32, 64] as const;

/**
 * Depthwise separable CNN in the size class of microcontrollers (after Zhang et al. 2017, "Hello edge"). The stem has full convolutions: with few
 * channels they need little arithmetic, and half the activations (whose memory traffic dominates training time) of depthwise and pointwise layers
 * with a batch norm each.
 */
export const dsCnn = family({
  isOfPictures: true,
  doc: 'Depthwise separable CNN for microcontrollers and phones, 46,330 parameters at width 1 for 28×28×1 and 10 classes.',
  options: {
    width: real(1, 'Filters of every layer, as a multiple of 16, 32, 64 (stem), 96 and 128 (blocks).', 0.1, 16),
    depth: integer(2, 'Depthwise separable blocks behind the stem.', 1, 32),
    strides: integerList([2, 1, 2], 'Stride of each of the three convolutions of the stem.', 3),
  },
  build: ({ inputShape, classes, blocks }, { width, depth, strides }) => {
    imageInputShape('ds-cnn', inputShape);
    const x = input({ shape: [...inputShape], name: 'input' });
    let y = x;
    STEM.forEach((filters, i) => {
      y = blocks.conv(y, `stem${i + 1}`, channels(filters, width), { stride: strides[i]! });
    });
    for (let i = 1; i <= depth; i++) {
      y = blocks.depthwise(y, `block${i}_depthwise`);
      y = blocks.conv(y, `block${i}_pointwise`, channels(i === 1 ? 96 : 128, width), { kernel: 1 });
    }
    return network('ds-cnn', x, blocks.classifier(y, classes));
  },
});
