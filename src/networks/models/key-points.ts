import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { UserError } from '../../base/errors.ts';
import { BilinearUpSampling } from '../../trace/layers/bilinear-up-sampling.ts';
import type { Blocks } from './blocks.ts';
import { family, imageInputShape, network } from './builder.ts';
import { levelsOfV2, STRIDES_TO_16 } from './mobilenet.ts';
import { integer, real } from './options.ts';

/** Rows of MobileNet v2 whose features, at strides 8 and 16, the head reads. */
const LEVELS = [2, -1];

/** Places along an axis for each pixel of the longer side, so that answers are finer than pixels. */
const BINS_PER_PIXEL = 2;

/** Feature maps for each point. */
const MAPS = 4;

export const pointsNano = finder('points-nano', 'Finds points', { alpha: 0.35, filters: 48 });
export const pointsSmall = finder('points-small', 'Finds points with more filters', { alpha: 0.75, filters: 96 });

/**
 * Two classifications for each point, one over columns and one over rows (Li et al. 2022, "SimCC"). Feature maps for each point, at stride 4, are reduced
 * over rows and over columns to their largest values and their means, from which a dense layer for each axis, the same for all points, makes logits: a
 * flattened map, as SimCC has it, takes many more steps to learn.
 */
function finder(name: string, doc: string, usual: { readonly alpha: number; readonly filters: number }) {
  return family({
    isOfPictures: true,
    doc: `${doc}: MobileNet v2 at strides 8 and 16, then for each point logits over columns and over rows.`,
    options: {
      alpha: real(usual.alpha, 'Filters of every layer of the backbone, as a multiple of the published ones.', 0.1, 4),
      filters: integer(usual.filters, 'Filters of the neck.', 8, 1024),
    },
    strides: [8, 16],
    build: (args, { alpha, filters }) => {
      const { inputShape, classes, blocks } = args;
      const [height, width] = imageInputShape(name, inputShape, 32);
      if (height % 16 !== 0 || width % 16 !== 0)
        throw new UserError(
          `model ${name} takes pictures whose height and width are multiples of 16, received ${height}×${width}`,
          'Set `dataset.resize`.',
        );
      const bins = BINS_PER_PIXEL * Math.max(height, width);
      const points = classes / (2 * bins);
      if (!Number.isInteger(points))
        throw new UserError(
          `model ${name} answers with the places of points, and the task asks for ${classes} numbers`,
          'Choose another model; this one is for task: points.',
        );
      const { inputs, levels } = levelsOfV2(args, alpha, STRIDES_TO_16, LEVELS);
      const [fine, coarse] = levels as [SymbolicTensor, SymbolicTensor];
      const high = blocks.conv(coarse, 'coarse', filters, { kernel: 1, activation: 'relu6' });
      const low = blocks.conv(fine, 'fine', filters, { kernel: 1, activation: 'relu6' });
      const joined = separable(blocks, blocks.add(low, enlarged(high, 'coarse_large'), 'levels'), 'joined', filters);
      const mixed = separable(blocks, enlarged(joined, 'joined_large'), 'neck', filters);
      const maps = blocks.conv(mixed, 'maps', points * MAPS, { kernel: 1, activation: 'relu6' });
      const axes = [
        alongAxis(blocks, maps, 'columns', { points, bins }),
        alongAxis(blocks, maps, 'rows', { points, bins }),
      ];
      const places = layers.concatenate({ name: 'places', axis: 2 }).apply(axes) as SymbolicTensor;
      const logits = layers.reshape({ name: 'logits', targetShape: [classes] }).apply(places) as SymbolicTensor;
      return network(name, inputs, logits);
    },
  });
}

/** Logits [batch, points, bins] over columns or rows. */
function alongAxis(
  blocks: Blocks,
  maps: SymbolicTensor,
  axis: 'columns' | 'rows',
  { points, bins }: { readonly points: number; readonly bins: number },
): SymbolicTensor {
  const [, height, width] = maps.shape as [null, number, number, number];
  const poolSize: [number, number] = axis === 'columns' ? [height, 1] : [1, width];
  const length = axis === 'columns' ? width : height;
  const largest = layers.maxPooling2d({ name: `${axis}_largest`, poolSize, strides: poolSize }).apply(maps);
  const means = layers.averagePooling2d({ name: `${axis}_means`, poolSize, strides: poolSize }).apply(maps);
  const parts = [largest, means].map((part, i) => {
    const apart = layers.reshape({ name: `${axis}_apart${i}`, targetShape: [length, points, MAPS] }).apply(part);
    const first = layers.permute({ name: `${axis}_first${i}`, dims: [2, 1, 3] }).apply(apart);
    return layers
      .reshape({ name: `${axis}_flat${i}`, targetShape: [points, length * MAPS] })
      .apply(first) as SymbolicTensor;
  });
  const seen = layers.concatenate({ name: `${axis}_seen`, axis: 2 }).apply(parts) as SymbolicTensor;
  return blocks.dense(seen, axis, bins, 'glorot-uniform');
}

function enlarged(x: SymbolicTensor, name: string): SymbolicTensor {
  return new BilinearUpSampling({ name, size: [2, 2] }).apply(x) as SymbolicTensor;
}

function separable(blocks: Blocks, x: SymbolicTensor, name: string, filters: number): SymbolicTensor {
  const y = blocks.depthwise(x, `${name}_depthwise`, { kernel: 5, activation: 'relu6' });
  return blocks.conv(y, `${name}_pointwise`, filters, { kernel: 1, activation: 'relu6' });
}
