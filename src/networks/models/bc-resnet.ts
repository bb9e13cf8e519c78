import { input, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { UserError } from '../../base/errors.ts';
import type { Blocks } from './blocks.ts';
import { BATCH_NORM } from './blocks.ts';
import { family, imageInputShape, network } from './builder.ts';
import { causal, integer, real } from './options.ts';
import { SubSpectralNorm } from './sub-spectral-norm.ts';

/** Table 1 of the paper: blocks, channels at width 1, stride over the frequencies of the first block, dilation in time. */
const STAGES = [
  [2, 8, 1, 1],
  [2, 12, 2, 2],
  [4, 16, 2, 4],
  [4, 20, 1, 8],
] as const;

/** Kim et al. 2021, "Broadcasted residual learning for efficient keyword spotting": [time, frequencies, 1], as the front-end of sounds gives. */
export const bcResnet = family({
  isOfPictures: true,
  doc: 'BC-ResNet for spoken words: convolutions over frequencies and, on their mean, over time; 9.2 k parameters at width 1.',
  options: {
    width: real(
      1,
      'Filters of every layer, as a multiple of those of BC-ResNet-1; the paper has 1, 1.5, 2, 3, 6 and 8.',
      0.25,
      16,
    ),
    bands: integer(5, 'Parts of the frequencies with a norm of their own; 1: batch norm.', 1, 64),
    dropout: real(0.1, 'Share of the channels that is dropped in training.', 0, 0.9),
    causal,
  },
  build: ({ inputShape, classes, blocks }, { width, bands, dropout, causal: isCausal }) => {
    imageInputShape('bc-resnet', inputShape);
    const x = input({ shape: [...inputShape], name: 'input' });
    const filters = (base: number): number => Math.max(1, Math.round(base * width));
    const stem = { kernel: 5, stride: [1, 2] } as const;
    let y = isCausal
      ? blocks.conv(padded(x, 'stem_past', [4, 0], halved(inputShape[1]!)), 'stem', filters(16), {
          ...stem,
          padding: 'valid',
        })
      : blocks.conv(x, 'stem', filters(16), stem);
    STAGES.forEach(([count, base, stride, dilation], stage) => {
      for (let i = 1; i <= count; i++) {
        const shared = { filters: filters(base), dilation, bands, dropout, isCausal };
        y = block(blocks, y, `stage${stage + 1}_block${i}`, { ...shared, transition: i === 1 ? stride : undefined });
      }
    });
    // The paper has 5×5, where 40 bands have been reduced to 5: a kernel over all remaining bands, without padding.
    const kernel = [5, y.shape[2]!] as const;
    y = padded(y, 'head_pad', isCausal ? [4, 0] : [2, 2]);
    y = blocks.depthwise(y, 'head_depthwise', { kernel, padding: 'valid', ...PLAIN });
    y = blocks.conv(y, 'head', filters(32), { kernel: 1 });
    return network('bc-resnet', x, blocks.classifier(y, classes));
  },
});

/** Zeros before and behind the frames, and below and above the frequencies. */
function padded(x: SymbolicTensor, name: string, time: Pair, frequencies: Pair = [0, 0]): SymbolicTensor {
  return layers.zeroPadding2d({ name, padding: [time, frequencies] }).apply(x) as SymbolicTensor;
}

type Pair = [number, number];

/** Zeros beside the frequencies as a layer with the padding `same` has them, whose kernel of 5 halves them. */
function halved(frequencies: number): Pair {
  const zeros = Math.max(0, 2 * (Math.ceil(frequencies / 2) - 1) + 5 - frequencies);
  return [Math.floor(zeros / 2), Math.ceil(zeros / 2)];
}

const PLAIN = { norm: false, bias: false, activation: 'none' } as const;

interface BlockOptions {
  readonly filters: number;
  /** Dilation in time. */
  readonly dilation: number;
  readonly bands: number;
  readonly dropout: number;
  readonly isCausal: boolean;
  /** Frequency stride of a block that changes the channels, and therefore has no shortcut. */
  readonly transition: number | undefined;
}

/** Equations 3 and 4: y = f2(x), and relu(x + y + f1(mean of y over the frequencies)), whose last summand is the same for all frequencies. */
function block(blocks: Blocks, x: SymbolicTensor, name: string, options: BlockOptions): SymbolicTensor {
  const { filters, dilation, bands, dropout, isCausal, transition } = options;
  const changed = transition === undefined ? x : blocks.conv(x, `${name}_transition`, filters, { kernel: 1 });
  const stride = [1, transition ?? 1] as const;
  const filtered = blocks.depthwise(changed, `${name}_frequency`, { kernel: [1, 3], stride, ...PLAIN });
  const frequencies = filtered.shape[2]!;
  if (frequencies % bands !== 0) {
    throw new UserError(
      `model bc-resnet, bands: ${bands} do not divide the ${frequencies} frequencies that ${name} has`,
      'Set dataset.features.mels to 8 times a multiple of it, or bands to 1.',
    );
  }
  const norm = new SubSpectralNorm({ name: `${name}_frequency_bn`, bands, ...BATCH_NORM });
  const y = norm.apply(filtered) as SymbolicTensor;
  const window: [number, number] = [1, frequencies];
  const pool = layers.averagePooling2d({ name: `${name}_mean`, poolSize: window, strides: window, padding: 'valid' });
  const mean = pool.apply(y) as SymbolicTensor;
  const inTime = { kernel: [3, 1], dilation: [dilation, 1], activation: 'none' } as const;
  const timed = isCausal
    ? blocks.depthwise(padded(mean, `${name}_past`, [2 * dilation, 0]), `${name}_time`, { ...inTime, padding: 'valid' })
    : blocks.depthwise(mean, `${name}_time`, inTime);
  const swish = layers.activation({ name: `${name}_swish`, activation: 'swish' }).apply(timed) as SymbolicTensor;
  const mixed = blocks.conv(swish, `${name}_pointwise`, filters, { kernel: 1, ...PLAIN });
  const z = blocks.dropout(mixed, `${name}_dropout`, dropout, [null, 1, 1, filters]);
  const sum = layers.add({ name: `${name}_add` }).apply(transition === undefined ? [y, z, x] : [y, z]);
  return blocks.relu(sum as SymbolicTensor, `${name}_out`);
}
