import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { UserError } from '../../base/errors.ts';
import { Gelu, LayerNorm, MaskedMean, PositionEmbedding, SelfAttention } from './attention.ts';
import type { Blocks } from './blocks.ts';
import { family, network } from './builder.ts';
import { integer, real } from './options.ts';
import { tokenOptions, tokens } from './tokens.ts';

/** Layer norm before each part (Xiong et al. 2020, "On layer normalization in the transformer"): trains without warm-up. */
export const textTransformer = family({
  doc: 'Small transformer encoder over token ids [length]; padding is left out.',
  options: {
    ...tokenOptions,
    depth: integer(2, 'Encoder layers.', 1, 48),
    size: integer(64, 'Size of a token vector; a multiple of heads.', 1, 4096),
    heads: integer(4, 'Attention heads.', 1, 64),
    feedForward: integer(4, 'Inner size of the feed-forward part, as a multiple of size.', 1, 16),
    dropout: real(0, 'Share dropped behind each part in training.', 0, 0.9),
  },
  answersPer: ['sample', 'word'],
  build: ({ inputShape, classes, seed, blocks, answersPer }, options) => {
    const { depth, size, heads, feedForward, dropout } = options;
    checkHeads(size, heads);
    const { input: x, mask, vectors } = tokens('text-transformer', inputShape, blocks, options);
    let y = vectors;
    y = new PositionEmbedding({ name: 'positions', seed }).apply(y) as SymbolicTensor;
    for (let i = 1; i <= depth; i++) {
      const name = `encoder${i}`;
      let z = new LayerNorm({ name: `${name}_norm1` }).apply(y) as SymbolicTensor;
      z = new SelfAttention({ name: `${name}_attention`, heads, seed }).apply([z, mask]) as SymbolicTensor;
      y = blocks.add(y, blocks.dropout(z, `${name}_dropout1`, dropout), `${name}_add`);
      z = feed(blocks, new LayerNorm({ name: `${name}_norm2` }).apply(y) as SymbolicTensor, name, size, feedForward);
      y = blocks.add(y, blocks.dropout(z, `${name}_dropout2`, dropout), `${name}_out`);
    }
    y = new LayerNorm({ name: 'final_norm' }).apply(y) as SymbolicTensor;
    if (answersPer === 'word')
      return network('text-transformer', x, blocks.dense(y, 'logits', classes, 'glorot-uniform'));
    const pooled = new MaskedMean({ name: 'pool' }).apply([y, mask]) as SymbolicTensor;
    return network('text-transformer', x, blocks.dense(pooled, 'logits', classes, 'glorot-uniform'));
  },
});

function feed(blocks: Blocks, x: SymbolicTensor, name: string, size: number, times: number): SymbolicTensor {
  const inner = blocks.dense(x, `${name}_dense1`, size * times, 'glorot-uniform');
  const active = new Gelu({ name: `${name}_gelu` }).apply(inner) as SymbolicTensor;
  return blocks.dense(active, `${name}_dense2`, size, 'glorot-uniform');
}

function checkHeads(size: number, heads: number): void {
  if (size % heads === 0) return;
  throw new UserError(
    `model text-transformer: size ${size} is not a multiple of heads ${heads}`,
    `Set size to ${Math.ceil(size / heads) * heads}, or change heads.`,
  );
}
