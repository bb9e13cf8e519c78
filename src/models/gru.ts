import { input, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { UserError, shown } from '../base/errors.ts';
import { family, network } from './builder.ts';
import { integer } from './options.ts';

/** Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder". */
export const gru = family({
  doc: 'One gated recurrent layer over a sequence [steps, features], then a dense layer.',
  options: { units: integer(64, 'Size of the recurrent state.') },
  build: ({ inputShape, classes, blocks }, { units }) => {
    if (inputShape.length !== 2) {
      throw new UserError(
        `model gru takes sequences [steps, features], received samples of shape ${shown(inputShape)}`,
        'Choose text-transformer for token ids, mlp for tables, or a convolutional model for images.',
      );
    }
    const x = input({ shape: [...inputShape], name: 'input' });
    const layer = layers.gru({
      name: 'gru',
      units,
      kernelInitializer: blocks.initial('gru/kernel', { scheme: 'glorot-uniform' }),
      recurrentInitializer: blocks.initial('gru/recurrent_kernel', { scheme: 'glorot-uniform' }),
    });
    return network('gru', x, blocks.dense(layer.apply(x) as SymbolicTensor, 'logits', classes, 'glorot-uniform'));
  },
});
