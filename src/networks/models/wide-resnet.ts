import { input, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { Blocks } from './blocks.ts';
import { family, imageInputShape, network } from './builder.ts';
import { integer, real } from './options.ts';
import { blocksPerStage } from './resnet.ts';

/** Zagoruyko & Komodakis 2016, "Wide residual networks": batch norm and ReLU before each convolution, 6n + 4 layers. */
export const wideResnet = family({
  isOfPictures: true,
  doc: 'Wide residual network WRN-depth-width with pre-activation.',
  options: {
    depth: integer(16, 'Layers with weights, 6n + 4: 10, 16, 22, 28 or 40.', 10, 1204),
    width: integer(2, 'Filters of the three stages are 16, 32 and 64 times this.', 1, 20),
    dropout: real(0, 'Share of the values dropped between the two convolutions of a block.', 0, 0.9),
  },
  build: ({ inputShape, classes, blocks }, { depth, width, dropout }) => {
    imageInputShape('wide-resnet', inputShape);
    const x = input({ shape: [...inputShape], name: 'input' });
    const perStage = blocksPerStage('wide-resnet', depth, 6, 4);
    let y = blocks.conv(x, 'stem', 16, PLAIN);
    [16, 32, 64].forEach((base, stage) => {
      for (let i = 1; i <= perStage; i++) {
        const stride = stage > 0 && i === 1 ? 2 : 1;
        y = preActivated(blocks, y, `stage${stage + 1}_block${i}`, base * width, stride, dropout);
      }
    });
    y = blocks.relu(blocks.norm(y, 'final_bn'), 'final_relu');
    return network('wide-resnet', x, blocks.classifier(y, classes));
  },
});

/** Options of a convolution without norm, activation and bias: the batch norm of the next block has an offset. */
const PLAIN = { norm: false, bias: false, activation: 'none' } as const;

function preActivated(
  blocks: Blocks,
  x: SymbolicTensor,
  name: string,
  filters: number,
  stride: number,
  dropout: number,
): SymbolicTensor {
  const active = blocks.relu(blocks.norm(x, `${name}_bn1`), `${name}_relu1`);
  let y = blocks.conv(active, `${name}_conv1`, filters, { ...PLAIN, stride });
  y = blocks.relu(blocks.norm(y, `${name}_bn2`), `${name}_relu2`);
  y = blocks.dropout(y, `${name}_dropout`, dropout);
  y = blocks.conv(y, `${name}_conv2`, filters, PLAIN);
  const same = stride === 1 && x.shape.at(-1) === filters;
  const shortcut = same ? x : blocks.conv(active, `${name}_shortcut`, filters, { ...PLAIN, kernel: 1, stride });
  return blocks.add(y, shortcut, `${name}_out`);
}
