import { input, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { UserError, shown } from '../../base/errors.ts';
import { channels } from './blocks.ts';
import type { Blocks } from './blocks.ts';
import { family, network } from './builder.ts';
import { causal, integer, real } from './options.ts';

/** The sequence [steps, channels] as a picture [1, steps, channels]: TFLite has convolutions over height and width alone. Of a picture, each row is a step. */
export function sequence(model: string, inputShape: readonly number[]): { x: SymbolicTensor; y: SymbolicTensor } {
  if (inputShape.length !== 2 && inputShape.length !== 3)
    throw new UserError(
      `model ${model} takes sequences [steps, channels], received samples of shape ${shown(inputShape)}`,
      'Cut a table in time into windows with `dataset.window`, set `shape: [steps, channels]` if a row is a sequence, or choose mlp for tables.',
    );
  const x = input({ shape: [...inputShape], name: 'input' });
  const [steps, ...rest] = inputShape as [number, ...number[]];
  const targetShape = [1, steps, rest.reduce((product, size) => product * size, 1)];
  return { x, y: layers.reshape({ name: 'one_row', targetShape }).apply(x) as SymbolicTensor };
}

const paddingOf = (isCausal: boolean) => (isCausal ? 'causal' : 'same');

/** Depthwise convolution in time, then one over the channels. */
function separable(
  blocks: Blocks,
  x: SymbolicTensor,
  name: string,
  filters: number,
  { kernel, stride, padding }: { kernel: number; stride: number; padding: 'same' | 'causal' },
): SymbolicTensor {
  const y = blocks.depthwise(x, `${name}_depthwise`, { kernel: [1, kernel], stride, padding });
  return blocks.conv(y, `${name}_pointwise`, filters, { kernel: 1 });
}

/** Depthwise separable CNN in time, after Zhang et al. 2017, "Hello edge": each block has half the steps of the one before. */
export const cnn1d = family({
  doc: 'Depthwise separable CNN over the steps of a sequence [steps, channels], for sensors on microcontrollers and phones.',
  options: {
    width: real(1, 'Filters of every layer, as a multiple of 32 (stem) and 64 (blocks).', 0.1, 16),
    depth: integer(3, 'Depthwise separable blocks behind the stem, each of which halves the steps.', 1, 16),
    kernel: integer(5, 'Steps that a filter sees.', 1, 64),
    dropout: real(0, 'Share of the answers before the last layer that is dropped in training.', 0, 0.9),
    causal,
  },
  build: ({ inputShape, classes, blocks }, { width, depth, kernel, dropout, causal: isCausal }) => {
    const { x, y: row } = sequence('cnn-1d', inputShape);
    const padding = paddingOf(isCausal);
    let y = blocks.conv(row, 'stem', channels(32, width), { kernel: [1, kernel], stride: 2, padding });
    for (let i = 1; i <= depth; i++)
      y = separable(blocks, y, `block${i}`, channels(64, width), { kernel, stride: i === 1 ? 1 : 2, padding });
    return network('cnn-1d', x, blocks.classifier(blocks.dropout(y, 'dropout', dropout), classes));
  },
});

/**
 * Bai, Kolter & Koltun 2018, "An empirical evaluation of generic convolutional and recurrent networks for sequence modeling", with depthwise separable
 * convolutions, and padding on both sides: a classifier knows the whole sequence. Block i sees steps 2^(i - 1) apart.
 */
export const tcn = family({
  doc: 'Temporal convolutional network over a sequence [steps, channels]: residual blocks of dilated depthwise separable convolutions.',
  options: {
    filters: integer(32, 'Filters of every convolution.', 1, 4096),
    depth: integer(4, 'Residual blocks; the dilation doubles from each to the next one.', 1, 16),
    kernel: integer(5, 'Steps that a filter sees.', 1, 64),
    dropout: real(0, 'Share of the channels of a block that is dropped in training.', 0, 0.9),
    causal,
  },
  build: ({ inputShape, classes, blocks }, { filters, depth, kernel, dropout, causal: isCausal }) => {
    const { x, y: row } = sequence('tcn', inputShape);
    const padding = paddingOf(isCausal);
    let y = blocks.conv(row, 'stem', filters, { kernel: [1, kernel], stride: 2, padding });
    for (let i = 1; i <= depth; i++) {
      const name = `block${i}`;
      const dilation = [1, 2 ** (i - 1)] as const;
      const inTime = blocks.depthwise(y, `${name}_depthwise`, { kernel: [1, kernel], dilation, padding });
      const mixed = blocks.conv(inTime, `${name}_pointwise`, filters, { kernel: 1, activation: 'none' });
      const kept = blocks.dropout(mixed, `${name}_dropout`, dropout, [null, 1, 1, filters]);
      y = blocks.relu(blocks.add(y, kept, `${name}_add`), `${name}_out`);
    }
    return network('tcn', x, blocks.classifier(y, classes));
  },
});
