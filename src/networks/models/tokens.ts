import { input, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { shown, UserError } from '../../base/errors.ts';
import { TokenMask } from './attention.ts';
import type { Blocks } from './blocks.ts';
import { integer } from './options.ts';

/** Options of every model over token ids; for a data set of texts both are known. */
export const tokenOptions = {
  vocabulary: integer(8192, 'Number of token ids, padding included; of texts: as their tokenizer has.', 2, 1_000_000),
  padding: integer(0, 'Id of padding; of texts: as their tokenizer has.', 0, 1_000_000),
};

interface Tokens {
  /** Ids [length]. */
  readonly input: SymbolicTensor;
  /** [length]: 1 for a token and 0 for padding. */
  readonly mask: SymbolicTensor;
  /** [length, size] */
  readonly vectors: SymbolicTensor;
}

/** Token ids and their learned vectors. `UserError` for samples that are no ids [length]. */
export function tokens(
  model: string,
  inputShape: readonly number[],
  blocks: Blocks,
  { vocabulary, padding, size }: { readonly vocabulary: number; readonly padding: number; readonly size: number },
): Tokens {
  if (inputShape.length !== 1) {
    throw new UserError(
      `model ${model} takes token ids [length], received samples of shape ${shown(inputShape)}`,
      'Choose cnn-1d, tcn or gru for sequences of numbers, or a convolutional model for images.',
    );
  }
  const x = input({ shape: [...inputShape], dtype: 'int32', name: 'input' });
  const mask = new TokenMask({ name: 'mask', padding }).apply(x) as SymbolicTensor;
  const embedding = layers.embedding({
    name: 'tokens',
    inputDim: vocabulary,
    outputDim: size,
    embeddingsInitializer: blocks.initial('tokens/embeddings', { scheme: 'normal' }),
  });
  return { input: x, mask, vectors: embedding.apply(x) as SymbolicTensor };
}
