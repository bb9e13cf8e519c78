import { input, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { UserError } from '../../base/errors.ts';
import { BilinearUpSampling } from '../../trace/layers/bilinear-up-sampling.ts';
import type { Blocks } from './blocks.ts';
import { family, imageInputShape, network } from './builder.ts';
import { levelsOfV2, STRIDES_TO_16 } from './mobilenet.ts';
import { choice, integer, real, weights } from './options.ts';

/** Row of MobileNet v2 whose features, at stride 8, are the skip. */
const SKIP = 2;

export const segLraspp = family({
  isOfPictures: true,
  answersPer: ['pixel'],
  doc: 'LR-ASPP head on MobileNet v2 at stride 16, with a skip at stride 8: a class for each pixel.',
  options: {
    alpha: real(0.5, 'Filters of every layer of the backbone, as a multiple of the published ones.', 0.1, 4),
    filters: integer(64, 'Filters of the head; 128 in the paper.', 8, 1024),
    weights,
  },
  /** Howard et al. 2019, "Searching for MobileNetV3", section 6.4; the pooled branch pools the whole picture, as torchvision's does. */
  strides: [8, 16],
  build: (args, { alpha, filters: head }) => {
    const { inputShape, classes, blocks, stride = 8 } = args;
    const name = 'seg-lraspp';
    const [height, width] = imageInputShape(name, inputShape, 32);
    requireMultiple(name, [height, width], 16);
    if (8 % stride !== 0) throw otherStride(name, stride, '1, 2, 4 or 8');
    const { inputs, levels } = levelsOfV2(args, alpha, STRIDES_TO_16, [SKIP, -1]);
    const [skip, y] = levels as [SymbolicTensor, SymbolicTensor];
    const high = blocks.conv(y, 'head', head, { kernel: 1 });
    const pooled = layers.globalAveragePooling2d({ name: 'context_pool' }).apply(y) as SymbolicTensor;
    const folded = layers
      .reshape({ name: 'context_fold', targetShape: [1, 1, y.shape.at(-1)!] })
      .apply(pooled) as SymbolicTensor;
    const context = blocks.conv(folded, 'context', head, { kernel: 1, norm: false, bias: false, activation: 'none' });
    const gate = layers.activation({ name: 'context_gate', activation: 'sigmoid' }).apply(context) as SymbolicTensor;
    const gated = layers.multiply({ name: 'gated' }).apply([high, gate]) as SymbolicTensor;
    const large = enlarged(gated, 'gated_large', 2);
    const sum = blocks.add(
      perPixel(blocks, large, 'logits_high', classes),
      perPixel(blocks, skip, 'logits_skip', classes),
      'logits',
    );
    return network(name, inputs, enlarged(sum, 'logits_large', 8 / stride));
  },
});

export const unet = family({
  isOfPictures: true,
  answersPer: ['pixel'],
  doc: 'U-Net: an encoder and a decoder with a skip at each size; a class for each pixel.',
  options: {
    filters: integer(16, 'Filters at full size; twice as many at each smaller one.', 4, 256),
    depth: integer(4, 'Number of times that the picture is halved.', 1, 6),
    convolutions: choice('separable', ['separable', 'full'], 'Depthwise and pointwise convolutions, or full ones.'),
  },
  /** Ronneberger et al. 2015, "U-Net", with padding, batch norms and bilinear upsampling; the decoder ends at the stride of the answers. */
  build: ({ inputShape, classes, blocks, stride = 1 }, { filters, depth, convolutions }) => {
    const [height, width] = imageInputShape('unet', inputShape, 2 ** depth);
    requireMultiple('unet', [height, width], 2 ** depth);
    const last = Math.log2(stride);
    if (!Number.isInteger(last) || last > depth)
      throw otherStride('unet', stride, Array.from({ length: depth + 1 }, (_, i) => 2 ** i).join(', '));
    const pair = (y: SymbolicTensor, name: string, level: number): SymbolicTensor => {
      const out = filters * 2 ** level;
      const conv = (from: SymbolicTensor, part: string): SymbolicTensor =>
        convolutions === 'separable'
          ? blocks.conv(blocks.depthwise(from, `${part}_depthwise`, { activation: 'none' }), part, out, { kernel: 1 })
          : blocks.conv(from, part, out);
      return conv(conv(y, `${name}_a`), `${name}_b`);
    };
    const x = input({ shape: [...inputShape], name: 'input' });
    const skips: SymbolicTensor[] = [];
    let y: SymbolicTensor = x;
    for (let level = 0; level <= depth; level++) {
      if (level > 0) y = layers.maxPooling2d({ name: `down${level}`, poolSize: 2 }).apply(y) as SymbolicTensor;
      y = pair(y, `encoder${level}`, level);
      skips.push(y);
    }
    for (let level = depth - 1; level >= last; level--) {
      const large = enlarged(y, `up${level}`, 2);
      y = layers.concatenate({ name: `joined${level}` }).apply([large, skips[level]!]) as SymbolicTensor;
      y = pair(y, `decoder${level}`, level);
    }
    return network('unet', x, perPixel(blocks, y, 'logits', classes));
  },
});

/** Logits of each pixel. */
function perPixel(blocks: Blocks, x: SymbolicTensor, name: string, classes: number): SymbolicTensor {
  return blocks.conv(x, name, classes, { kernel: 1, norm: false, activation: 'none' });
}

/** A feature map resized bilinearly to `factor` times its height and width. */
function enlarged(x: SymbolicTensor, name: string, factor: number): SymbolicTensor {
  if (factor === 1) return x;
  return new BilinearUpSampling({ name, size: [factor, factor] }).apply(x) as SymbolicTensor;
}

function requireMultiple(model: string, [height, width]: readonly [number, number], of: number): void {
  if (height % of === 0 && width % of === 0) return;
  throw new UserError(
    `model ${model} takes pictures whose height and width are multiples of ${of}, received ${height}×${width}`,
    'Set `dataset.resize`.',
  );
}

function otherStride(model: string, stride: number, able: string): UserError {
  return new UserError(
    `model ${model} answers at strides of ${able} pixels, received ${stride}`,
    'Set `dataset.stride`.',
  );
}
