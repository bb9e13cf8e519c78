import { input, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { channels } from './blocks.ts';
import { family, halvings, imageInputShape, network } from './builder.ts';
import { choice, real } from './options.ts';

/** Simonyan & Zisserman 2015, table 1, columns A, B and D: convolutions per stage. */
const STAGES = { 11: [1, 1, 2, 2, 2], 13: [2, 2, 2, 2, 2], 16: [2, 2, 3, 3, 3] } as const;
const FILTERS = [64, 128, 256, 512, 512] as const;

export const vgg = family({
  isOfPictures: true,
  doc: 'VGG with batch norm and one dense layer, as used for CIFAR; pools while 4 pixels are left.',
  options: {
    depth: choice<number>(11, [11, 13, 16], 'Layers with weights: 11, 13 or 16.'),
    width: real(1, 'Filters of every layer, as a multiple of 64 … 512.', 0.1, 4),
    dropout: real(0, 'Share of the pooled features that is dropped in training.', 0, 0.9),
  },
  build: ({ inputShape, classes, blocks }, options) => {
    const [height, width] = imageInputShape('vgg', inputShape);
    const x = input({ shape: [...inputShape], name: 'input' });
    const pools = halvings(height, width);
    let y: SymbolicTensor = x;
    STAGES[options.depth as keyof typeof STAGES].forEach((count, stage) => {
      for (let i = 1; i <= count; i++) {
        y = blocks.conv(y, `stage${stage + 1}_conv${i}`, channels(FILTERS[stage]!, options.width));
      }
      if (stage < pools)
        y = layers.maxPooling2d({ name: `stage${stage + 1}_pool`, poolSize: 2 }).apply(y) as SymbolicTensor;
    });
    y = blocks.dropout(y, 'dropout', options.dropout);
    return network('vgg', x, blocks.classifier(y, classes));
  },
});
