import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { MaskedTokens } from './attention.ts';
import { family, network } from './builder.ts';
import { integer, real } from './options.ts';
import { tokenOptions, tokens } from './tokens.ts';

/**
 * Kim 2014, "Convolutional neural networks for sentence classification", over bytes as in Google's Magika: each filter's largest response counts.
 * Padding is set to 0 before and after each convolution, so that it acts like the end of the text.
 */
export const textCnn = family({
  doc: 'Convolutions over token vectors and their largest answers; for bytes.',
  options: {
    ...tokenOptions,
    size: integer(16, 'Size of a token vector.', 1, 4096),
    filters: integer(64, 'Filters of each convolution.', 1, 4096),
    kernel: integer(5, 'Tokens that a filter sees.', 1, 64),
    depth: integer(1, 'Convolutions, one after another.', 1, 16),
    dropout: real(0, 'Share of the answers that is dropped in training.', 0, 0.9),
  },
  answersPer: ['sample', 'word'],
  build: ({ inputShape, classes, blocks, answersPer }, options) => {
    const { filters, kernel, depth, dropout } = options;
    const { input, mask, vectors } = tokens('text-cnn', inputShape, blocks, options);
    const masked = (x: SymbolicTensor, name: string): SymbolicTensor =>
      new MaskedTokens({ name }).apply([x, mask]) as SymbolicTensor;
    let y = masked(vectors, 'tokens_masked');
    for (let i = 1; i <= depth; i++) {
      const name = `conv${i}`;
      const conv = layers.conv1d({
        name,
        filters,
        kernelSize: kernel,
        padding: 'same',
        kernelInitializer: blocks.initial(`${name}/kernel`, { scheme: 'he-normal' }),
      });
      // Non-negative after ReLU, so that masked tokens never have the maximum.
      y = masked(blocks.relu(conv.apply(y) as SymbolicTensor, `${name}_relu`), `${name}_masked`);
    }
    if (answersPer !== 'word') y = layers.globalMaxPooling1d({ name: 'pool' }).apply(y) as SymbolicTensor;
    y = blocks.dropout(y, 'pool_dropout', dropout);
    return network('text-cnn', input, blocks.dense(y, 'logits', classes, 'glorot-uniform'));
  },
});
