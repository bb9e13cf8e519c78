import { input } from '@tensorflow/tfjs-layers';
import { family, imageInputShape, network } from './builder.ts';
import { integer, integerList } from './options.ts';

/**
 * The fewest convolutions that train well within a few epochs. Pooling comes before batch norm and ReLU, which then process a quarter of the pixels;
 * without a scale the batch norm still folds into the convolution. The last layer is a depthwise convolution as large as the picture (Chen et al.
 * 2018, "MobileFaceNets", section 3.2): learned weights for each position instead of a mean, for pictures with objects at fixed positions.
 */
export const cnn = family({
  isOfPictures: true,
  doc: 'Plain convolutions with max pooling and a learned pooling at the end, 27,210 parameters for 28×28×1 and 10 classes.',
  options: {
    filters: integerList([16, 32, 64], 'Filters of each 3×3 convolution.'),
    pools: integer(2, 'Number of convolutions, from the first one on, that a 2×2 max pooling follows.', 0, 16),
  },
  build: ({ inputShape, classes, blocks }, { filters, pools }) => {
    imageInputShape('cnn', inputShape, 2 ** Math.min(pools, filters.length));
    const x = input({ shape: [...inputShape], name: 'input' });
    let y = x;
    filters.forEach((count, i) => {
      y = blocks.conv(y, `conv${i + 1}`, count, { pool: i < pools, scale: false });
    });
    return network('cnn', x, blocks.dense(blocks.weightedSum(y, 'places'), 'logits', classes, 'glorot-uniform'));
  },
});
