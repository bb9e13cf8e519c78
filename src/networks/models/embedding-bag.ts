import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { MaskedMean } from './attention.ts';
import { family, network } from './builder.ts';
import { integer, real } from './options.ts';
import { tokenOptions, tokens } from './tokens.ts';

/** Joulin et al. 2017, "Bag of tricks for efficient text classification" (fastText): the order of the tokens does not count. */
export const embeddingBag = family({
  doc: 'Mean of the vectors of the tokens, then dense layers; the smallest and fastest for texts.',
  options: {
    ...tokenOptions,
    size: integer(32, 'Size of a token vector.', 1, 4096),
    hidden: integer(0, 'Units of a hidden layer behind the mean; 0: none.', 0),
    dropout: real(0, 'Share of the mean that is dropped in training.', 0, 0.9),
  },
  build: ({ inputShape, classes, blocks }, options) => {
    const { hidden, dropout } = options;
    const { input, mask, vectors } = tokens('embedding-bag', inputShape, blocks, options);
    let y = new MaskedMean({ name: 'pool' }).apply([vectors, mask]) as SymbolicTensor;
    y = blocks.dropout(y, 'pool_dropout', dropout);
    if (hidden > 0) y = blocks.relu(blocks.dense(y, 'hidden', hidden), 'hidden_relu');
    return network('embedding-bag', input, blocks.dense(y, 'logits', classes, 'glorot-uniform'));
  },
});
