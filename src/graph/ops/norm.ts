import type { Dim } from '../types.ts';
import type { Degree, OpSpec } from './spec.ts';
import { expect, ints, shapeAttr, show, type } from './spec.ts';

const resize = (handsOn: Degree): OpSpec => ({
  inputs: ['images'],
  attrs: { size: 'ints', alignCorners: 'bool', halfPixelCenters: 'bool' },
  infer: ([images], attrs) => {
    const [height, width] = ints(attrs, 'size') as [number, number];
    return [type(images!.dtype, [images!.shape[0]!, height, width, images!.shape[3]!])];
  },
  handsOn,
});

const resizeGrad = (): OpSpec => ({
  inputs: ['dy'],
  attrs: { inputShape: 'shape', alignCorners: 'bool', halfPixelCenters: 'bool' },
  infer: ([dy], attrs) => [type(dy!.dtype, shapeAttr(attrs, 'inputShape'))],
});

export const norm = {
  /** (x - mean) / sqrt(variance + epsilon) · scale + offset over the last axis, with given statistics. */
  FusedBatchNorm: {
    inputs: ['x', 'mean', 'variance', 'offset?', 'scale?'],
    attrs: { epsilon: 'float' },
    infer: ([x]) => [x!],
  },
  /**
   * Batch norm with the batch's own statistics over all axes but the last (Ioffe & Szegedy 2015, Algorithm 1).
   * Gives y, mean [channels], variance [channels] (biased) and 1/sqrt(variance + epsilon) [channels].
   */
  BatchNormTrain: {
    inputs: ['x', 'scale', 'offset'],
    attrs: { epsilon: 'float' },
    infer: ([x, scale]) => {
      const channels: Dim = x!.shape.at(-1)!;
      expect(
        scale!.shape.length === 1 && scale!.shape[0] === channels,
        `scale must be [${channels}], received ${show(scale!.shape)}`,
      );
      const statistic = type(x!.dtype, [channels]);
      return [x!, statistic, statistic, statistic];
    },
  },
  /** Gradients of BatchNormTrain's y: dx, dscale [channels], doffset [channels]. */
  BatchNormTrainGrad: {
    inputs: ['dy', 'x', 'scale', 'mean', 'inverseDeviation'],
    attrs: {},
    infer: ([, x, scale]) => [x!, scale!, scale!],
  },
  /** Across channels: x / (bias + alpha · Σ x²)^beta over 2·depthRadius + 1 neighbours. */
  LRN: {
    inputs: ['x'],
    attrs: { depthRadius: 'int', bias: 'float', alpha: 'float', beta: 'float' },
    infer: ([x]) => [x!],
  },
  ResizeBilinear: resize('averaged'),
  ResizeNearestNeighbor: resize('chosen'),
  ResizeBilinearGrad: resizeGrad(),
  ResizeNearestNeighborGrad: resizeGrad(),
} satisfies Record<string, OpSpec>;
