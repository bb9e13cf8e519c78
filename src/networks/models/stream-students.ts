import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { UserError } from '../../base/errors.ts';
import { columnsBefore } from './blocks.ts';
import type { Blocks, ConvOptions } from './blocks.ts';
import { family, network } from './builder.ts';
import { integer, integerList } from './options.ts';
import { sequence } from './sequences.ts';

/** The last `columns` columns: filters without padding see them at all places. */
function lastOf(x: SymbolicTensor, name: string, columns: number): SymbolicTensor {
  const before = x.shape[2]! - columns;
  if (before === 0) return x;
  const none: [number, number] = [0, 0];
  return layers.cropping2D({ name, cropping: [none, [before, 0]] }).apply(x) as SymbolicTensor;
}

/** Fails where a filter sees more steps than are left of a window. */
function expectSteps(model: string, x: SymbolicTensor, name: string, options: ConvOptions): void {
  const [held, needed] = [x.shape[2]!, columnsBefore(options) + 1];
  if (held < needed)
    throw new UserError(
      `model ${model}: ${name} sees ${needed} steps, and ${held} are left of the window`,
      'Take longer windows, shorter filters or fewer blocks.',
    );
}

interface Shared {
  readonly model: string;
  readonly blocks: Blocks;
  readonly filters: number;
}

const stride = integer(2, 'Steps from a hop to the next one.', 1, 16);

function stem({ model, blocks, filters }: Shared, row: SymbolicTensor, kernel: number, step: number): SymbolicTensor {
  const options = { kernel: [1, kernel], stride: [1, step], padding: 'valid' } as const;
  expectSteps(model, row, 'stem', options);
  return blocks.conv(row, 'stem', filters, options);
}

/** Sum of a block's result and the last steps of its input. */
function residual({ blocks }: Shared, x: SymbolicTensor, y: SymbolicTensor, name: string): SymbolicTensor {
  const kept = lastOf(x, `${name}_last`, y.shape[2]!);
  return blocks.relu(blocks.add(kept, y, `${name}_add`), `${name}_out`);
}

/** Bai, Kolter & Koltun 2018 without padding: each answer depends on a window alone, so that a stream answers as windows do. */
export const streamDsTcn = family({
  doc: 'Temporal convolutional network without padding, for streams: depthwise separable, each answer depends on the last window alone.',
  options: {
    filters: integer(32, 'Filters of every convolution.', 1, 4096),
    depth: integer(3, 'Residual blocks; the dilation doubles from each to the next one.', 1, 16),
    kernel: integer(3, 'Steps that a filter sees.', 1, 64),
    stride,
  },
  build: ({ inputShape, classes, blocks }, { filters, depth, kernel, stride: step }) => {
    const { x, y: row } = sequence('stream-ds-tcn', inputShape);
    const shared = { model: 'stream-ds-tcn', blocks, filters };
    let y = stem(shared, row, kernel, step);
    for (let i = 1; i <= depth; i++) {
      const name = `block${i}`;
      const options = { kernel: [1, kernel], dilation: [1, 2 ** (i - 1)], padding: 'valid' } as const;
      expectSteps(shared.model, y, name, options);
      const inTime = blocks.depthwise(y, `${name}_depthwise`, options);
      const mixed = blocks.conv(inTime, `${name}_pointwise`, filters, { kernel: 1, activation: 'none' });
      y = residual(shared, y, mixed, name);
    }
    return network(shared.model, x, blocks.classifier(y, classes));
  },
});

/** Tan & Le 2019, "MixConv: mixed depthwise convolutional kernels", in time and without padding: parts of the channels see filters of different lengths. */
export const streamMixer = family({
  doc: 'Mixed depthwise kernels without padding, for streams and wake words: parts of the channels see short filters, others long ones.',
  options: {
    filters: integer(48, 'Filters of every block.', 1, 4096),
    depth: integer(3, 'Residual blocks.', 1, 16),
    kernels: integerList([3, 7], 'Steps that the filters of each part of the channels see.'),
    stride,
  },
  build: ({ inputShape, classes, blocks }, { filters, depth, kernels, stride: step }) => {
    const { x, y: row } = sequence('stream-mixer', inputShape);
    const shared = { model: 'stream-mixer', blocks, filters };
    if (kernels.length > filters)
      throw new UserError(
        `model stream-mixer: ${kernels.length} kernels share ${filters} filters`,
        'Give it more filters, or fewer kernels.',
      );
    const most = Math.max(...kernels);
    let y = stem(shared, row, Math.min(...kernels), step);
    for (let i = 1; i <= depth; i++) {
      const name = `block${i}`;
      expectSteps(shared.model, y, name, { kernel: [1, most] });
      const columns = y.shape[2]! - most + 1;
      const parts = kernels.map((kernel, part) => {
        const own = `${name}_part${part + 1}`;
        const share =
          Math.floor((filters * (part + 1)) / kernels.length) - Math.floor((filters * part) / kernels.length);
        const channels = blocks.conv(y, `${own}_pointwise`, share, { kernel: 1 });
        const options = { kernel: [1, kernel], padding: 'valid', activation: 'none' } as const;
        return lastOf(blocks.depthwise(channels, `${own}_depthwise`, options), `${own}_last`, columns);
      });
      const joined =
        parts.length === 1
          ? parts[0]!
          : (layers.concatenate({ name: `${name}_parts`, axis: -1 }).apply(parts) as SymbolicTensor);
      y = residual(shared, y, joined, name);
    }
    return network(shared.model, x, blocks.classifier(y, classes));
  },
});
