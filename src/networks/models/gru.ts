import { input, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { UserError, shown } from '../../base/errors.ts';
import { family, network } from './builder.ts';
import { integer } from './options.ts';

/** Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder". */
export const gru = family({
  doc: 'One gated recurrent layer over a sequence [steps, features], or the rows of a picture, then a dense layer.',
  options: { units: integer(64, 'Size of the recurrent state.') },
  build: ({ inputShape, classes, blocks }, { units }) => {
    if (inputShape.length !== 2 && inputShape.length !== 3) {
      throw new UserError(
        `model gru takes sequences [steps, features], received samples of shape ${shown(inputShape)}`,
        'Set `shape: [steps, features]` in the dataset, or choose text-transformer for token ids and mlp for tables.',
      );
    }
    const x = input({ shape: [...inputShape], name: 'input' });
    const layer = layers.gru({
      name: 'gru',
      units,
      kernelInitializer: blocks.initial('gru/kernel', { scheme: 'glorot-uniform' }),
      recurrentInitializer: blocks.initial('gru/recurrent_kernel', { scheme: 'glorot-uniform' }),
    });
    // Each row of a picture is a step.
    const [steps, ...rest] = inputShape as [number, ...number[]];
    const targetShape = [steps, rest.reduce((product, size) => product * size, 1)];
    const y = rest.length === 1 ? x : (layers.reshape({ name: 'rows', targetShape }).apply(x) as SymbolicTensor);
    return network('gru', x, blocks.dense(layer.apply(y) as SymbolicTensor, 'logits', classes, 'glorot-uniform'));
  },
});
