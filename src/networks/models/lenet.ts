import { input, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { family, imageInputShape, network } from './builder.ts';
import { integer } from './options.ts';

/** LeNet-5 of LeCun et al. 1998, "Gradient-based learning applied to document recognition", with ReLU and max pooling. */
export const lenet = family({
  isOfPictures: true,
  doc: 'Two 5×5 convolutions with pooling and two dense layers.',
  options: {
    filters: integer(6, 'Filters of the first convolution; the second has 8/3 as many, as 6 and 16 in the paper.'),
  },
  build: ({ inputShape, classes, blocks }, { filters }) => {
    imageInputShape('lenet', inputShape, 4);
    const x = input({ shape: [...inputShape], name: 'input' });
    const pool = (y: SymbolicTensor, name: string): SymbolicTensor =>
      layers.maxPooling2d({ name, poolSize: 2 }).apply(y) as SymbolicTensor;
    let y = pool(blocks.conv(x, 'conv1', filters, { kernel: 5, norm: false }), 'pool1');
    y = pool(blocks.conv(y, 'conv2', Math.round((filters * 8) / 3), { kernel: 5, norm: false }), 'pool2');
    y = layers.flatten({ name: 'flatten' }).apply(y) as SymbolicTensor;
    y = blocks.relu(blocks.dense(y, 'dense1', 120), 'dense1_relu');
    y = blocks.relu(blocks.dense(y, 'dense2', 84), 'dense2_relu');
    return network('lenet', x, blocks.dense(y, 'logits', classes, 'glorot-uniform'));
  },
});
