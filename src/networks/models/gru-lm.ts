import { input, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { family, network } from './builder.ts';
import { TiedTokens } from './causal.ts';
import { checkTokens } from './decoder.ts';
import { integer, real } from './options.ts';
import { tokenOptions } from './tokens.ts';

/** Recurrent language model (Mikolov et al. 2010) of gated units; tokens and logits share a matrix. */
export const gruLm = family({
  doc: 'Gated recurrent layers over token vectors, for the next token at each place; tokens and logits share a matrix.',
  options: {
    vocabulary: tokenOptions.vocabulary,
    depth: integer(1, 'Recurrent layers.', 1, 8),
    size: integer(96, 'Size of a token vector.', 1, 4096),
    units: integer(192, 'Size of the recurrent state.'),
    dropout: real(0, 'Share dropped behind each layer in training.', 0, 0.9),
  },
  answersPer: ['token'],
  build: ({ inputShape, classes, seed, blocks }, { vocabulary, depth, size, units, dropout }) => {
    checkTokens('gru-lm', inputShape, classes, vocabulary);
    const x = input({ shape: [...inputShape], dtype: 'int32', name: 'input' });
    const tokens = new TiedTokens({ name: 'tokens', vocabulary, size, seed });
    let y = tokens.apply(x) as SymbolicTensor;
    for (let i = 1; i <= depth; i++) {
      const name = `gru${i}`;
      const gru = layers.gru({
        name,
        units,
        returnSequences: true,
        kernelInitializer: blocks.initial(`${name}/kernel`, { scheme: 'glorot-uniform' }),
        recurrentInitializer: blocks.initial(`${name}/recurrent_kernel`, { scheme: 'glorot-uniform' }),
      });
      y = blocks.dropout(gru.apply(y) as SymbolicTensor, `${name}_dropout`, dropout);
    }
    return network('gru-lm', x, tokens.apply(blocks.dense(y, 'projection', size, 'glorot-uniform')) as SymbolicTensor);
  },
});
