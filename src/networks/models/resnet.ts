import { input, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { UserError } from '../../base/errors.ts';
import type { Blocks } from './blocks.ts';
import { channels } from './blocks.ts';
import { family, imageInputShape, network } from './builder.ts';
import { integer, integerList, real } from './options.ts';

/**
 * He et al. 2016, "Deep residual learning", section 4.2: three stages of basic blocks, 6n + 2 layers, with a 1×1
 * convolution where a shortcut changes shape. `width: 4` is the resnet32x4 / resnet8x4 of the distillation literature,
 * whose stem has 32 filters (Tian et al. 2020, "Contrastive representation distillation").
 */
export const resnet = family({
  isOfPictures: true,
  doc: 'CIFAR-style residual network of three stages (16, 32 and 64 filters times width).',
  options: {
    depth: integer(20, 'Layers with weights, 6n + 2: 8, 14, 20, 32, 44, 56 or 110.', 8, 1202),
    width: real(1, 'Filters of every stage, as a multiple of 16, 32, 64.', 0.25, 16),
    stem: integer(0, 'Filters of the first convolution; 0 means 16, or 32 from width 4 on.', 0, 1024),
    strides: integerList([1, 1, 2, 2], 'Stride of the first convolution and of each of the three stages.', 4),
  },
  build: ({ inputShape, classes, blocks }, { depth, width, stem, strides }) => {
    imageInputShape('resnet', inputShape);
    const x = input({ shape: [...inputShape], name: 'input' });
    const perStage = blocksPerStage('resnet', depth, 6, 2);
    const first = stem === 0 ? (width >= 4 ? 32 : 16) : stem;
    let y = blocks.conv(x, 'stem', first, { stride: strides[0]! });
    [16, 32, 64].forEach((base, stage) => {
      const filters = channels(base, width);
      for (let i = 1; i <= perStage; i++) {
        y = basicBlock(blocks, y, `stage${stage + 1}_block${i}`, filters, i === 1 ? strides[stage + 1]! : 1);
      }
    });
    return network('resnet', x, blocks.classifier(y, classes));
  },
});

function basicBlock(blocks: Blocks, x: SymbolicTensor, name: string, filters: number, stride: number): SymbolicTensor {
  let y = blocks.conv(x, `${name}_conv1`, filters, { stride });
  y = blocks.conv(y, `${name}_conv2`, filters, { activation: 'none' });
  const same = stride === 1 && x.shape.at(-1) === filters;
  const shortcut = same ? x : blocks.conv(x, `${name}_shortcut`, filters, { kernel: 1, stride, activation: 'none' });
  return blocks.relu(blocks.add(y, shortcut, `${name}_add`), `${name}_out`);
}

/** n of `depth = factor · n + rest`; `UserError` for other depths. */
export function blocksPerStage(model: string, depth: number, factor: number, rest: number): number {
  const n = (depth - rest) / factor;
  if (Number.isInteger(n) && n >= 1) return n;
  const below = Math.max(1, Math.floor(n)) * factor + rest;
  throw new UserError(
    `model ${model}, depth: expected ${factor}n + ${rest}, received ${depth}`,
    `The nearest depths are ${below} and ${below + factor}.`,
  );
}
