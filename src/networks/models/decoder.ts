import { input, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { shown, UserError } from '../../base/errors.ts';
import { Gelu } from './attention.ts';
import type { Blocks } from './blocks.ts';
import { family, network } from './builder.ts';
import { CausalAttention, CausalMask, RmsNorm, Swish, TiedTokens } from './causal.ts';
import { choice, integer, real } from './options.ts';
import { tokenOptions } from './tokens.ts';

/** Size of a head's vector where the recipe names no heads. */
const HEAD = 64;

/** Decoder-only transformer as Llama (Touvron et al. 2023): RMS norm before each part, rotary positions, no biases, tied embeddings. */
export const decoder = family({
  doc: 'Transformer that reads in one direction, for the next token at each place; tokens and logits share a matrix.',
  options: {
    ...tokenOptions,
    depth: integer(4, 'Layers.', 1, 48),
    size: integer(128, 'Size of a token vector; a multiple of heads.', 2, 4096),
    heads: integer(0, 'Attention heads; 0: of 64 numbers each, and at least one.', 0, 64),
    groups: integer(
      0,
      'Groups of heads that share keys and values, of which heads are a multiple; 0: as many as heads.',
      0,
      64,
    ),
    activation: choice('swiglu', ['swiglu', 'gelu'], 'Of the feed-forward part: swiglu has a gate, gelu has none.'),
    feedForward: integer(
      0,
      'Inner size of the feed-forward part; 0: 8/3 of size for swiglu, 4 times size for gelu.',
      0,
      16384,
    ),
    dropout: real(0, 'Share dropped behind each part in training.', 0, 0.9),
  },
  answersPer: ['token'],
  build: ({ inputShape, classes, seed, blocks }, options) => {
    const { vocabulary, padding: end, depth, size, dropout } = options;
    checkTokens('decoder', inputShape, classes, vocabulary);
    const { heads, groups } = headsOf(options);
    const x = input({ shape: [...inputShape], dtype: 'int32', name: 'input' });
    const mask = new CausalMask({ name: 'mask', end }).apply(x) as SymbolicTensor;
    const tokens = new TiedTokens({ name: 'tokens', vocabulary, size, seed });
    let y = tokens.apply(x) as SymbolicTensor;
    for (let i = 1; i <= depth; i++) {
      const name = `layer${i}`;
      let z = new RmsNorm({ name: `${name}_norm1` }).apply(y) as SymbolicTensor;
      z = new CausalAttention({ name: `${name}_attention`, heads, groups, seed }).apply([z, mask]) as SymbolicTensor;
      y = blocks.add(y, blocks.dropout(z, `${name}_dropout1`, dropout), `${name}_add`);
      z = feed(blocks, new RmsNorm({ name: `${name}_norm2` }).apply(y) as SymbolicTensor, name, options);
      y = blocks.add(y, blocks.dropout(z, `${name}_dropout2`, dropout), `${name}_out`);
    }
    y = new RmsNorm({ name: 'final_norm' }).apply(y) as SymbolicTensor;
    return network('decoder', x, tokens.apply(y) as SymbolicTensor);
  },
});

interface Feed {
  readonly size: number;
  readonly activation: string;
  readonly feedForward: number;
}

/** Shazeer 2020, "GLU variants improve transformer": swish(x W) · (x V), then a projection; without biases. */
function feed(
  blocks: Blocks,
  x: SymbolicTensor,
  name: string,
  { size, activation, feedForward }: Feed,
): SymbolicTensor {
  const isGated = activation === 'swiglu';
  const usual = isGated ? Math.ceil((8 * size) / 3 / 8) * 8 : 4 * size;
  const inner = feedForward === 0 ? usual : feedForward;
  const dense = (of: SymbolicTensor, part: string, units: number): SymbolicTensor =>
    layers
      .dense({
        name: `${name}_${part}`,
        units,
        useBias: false,
        kernelInitializer: blocks.initial(`${name}_${part}/kernel`, { scheme: 'glorot-uniform' }),
      })
      .apply(of) as SymbolicTensor;
  const up = dense(x, 'up', inner);
  if (!isGated) return dense(new Gelu({ name: `${name}_gelu` }).apply(up) as SymbolicTensor, 'down', size);
  const gate = new Swish({ name: `${name}_swish` }).apply(dense(x, 'gate', inner)) as SymbolicTensor;
  return dense(layers.multiply({ name: `${name}_gated` }).apply([gate, up]) as SymbolicTensor, 'down', size);
}

function headsOf({ size, heads: named, groups: shared }: { size: number; heads: number; groups: number }) {
  const heads = named === 0 ? Math.max(1, Math.floor(size / HEAD)) : named;
  const groups = shared === 0 ? heads : shared;
  if (size % heads !== 0 || (size / heads) % 2 !== 0)
    throw new UserError(
      `model decoder: size ${size} over heads ${heads} is not an even whole number`,
      `Set size to ${Math.ceil(size / heads / 2) * 2 * heads}, or change heads.`,
    );
  if (heads % groups !== 0)
    throw new UserError(`model decoder: heads ${heads} are not a multiple of groups ${groups}`, 'Change groups.');
  return { heads, groups };
}

/** `UserError` unless samples are ids [length] and answers are logits of as many tokens. */
export function checkTokens(model: string, inputShape: readonly number[], classes: number, vocabulary: number): void {
  if (inputShape.length !== 1)
    throw new UserError(
      `model ${model} takes token ids [length], received samples of shape ${shown(inputShape)}`,
      'Choose cnn-1d, tcn or gru for sequences of numbers, or a convolutional model for images.',
    );
  if (classes !== vocabulary)
    throw new UserError(
      `model ${model} answers with a logit for each of its ${vocabulary} tokens, and the task asks for ${classes} classes`,
      'Leave out vocabulary: it is that of the tokenizer.',
    );
}
