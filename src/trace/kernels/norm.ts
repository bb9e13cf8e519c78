import type { Value } from '../value.ts';
import { nodeOutputs, op } from '../value.ts';
import type { Row, Table } from './table.ts';
import { rank, scalar, toFloat } from './table.ts';

const resize =
  (name: string): Row =>
  ({ images }, { size, alignCorners, halfPixelCenters }) =>
    op(name, [toFloat(images!)], {
      size: size as number[],
      alignCorners: alignCorners === true,
      halfPixelCenters: halfPixelCenters === true,
    });

const resizeGrad =
  (name: string): Row =>
  ({ images, dy }, { alignCorners, halfPixelCenters }) =>
    op(name, [dy!], {
      inputShape: [...images!.type.shape],
      alignCorners: alignCorners === true,
      halfPixelCenters: halfPixelCenters === true,
    });

function batchNorm(
  x: Value,
  mean: Value,
  variance: Value,
  offset: Value | undefined,
  scale: Value | undefined,
  epsilon: number,
): Value {
  const perChannel = [mean, variance, offset, scale].every((value) => value === undefined || rank(value) === 1);
  if (perChannel) return op('FusedBatchNorm', [x, mean, variance, offset, scale], { epsilon });
  const inverse = op('Rsqrt', [op('Add', [variance, scalar(epsilon)])]);
  const normal = op('Multiply', [
    op('Sub', [x, mean]),
    scale === undefined ? inverse : op('Multiply', [inverse, scale]),
  ]);
  return offset === undefined ? normal : op('Add', [normal, offset]);
}

export const norm: Table = {
  FusedBatchNorm: ({ x, mean, variance, offset, scale }, { varianceEpsilon }) =>
    batchNorm(x!, mean!, variance!, offset, scale, (varianceEpsilon as number | undefined) ?? 0.001),
  /** Our own kernels: see batch-norm.ts. */
  BatchNormTrain: ({ x, scale, offset }, { epsilon }) =>
    nodeOutputs('BatchNormTrain', [x!, scale!, offset!], { epsilon: epsilon as number }),
  BatchNormTrainGrad: ({ dy, x, scale, mean, inverseDeviation }) =>
    nodeOutputs('BatchNormTrainGrad', [dy!, x!, scale!, mean!, inverseDeviation!]),
  ResizeBilinear: resize('ResizeBilinear'),
  ResizeNearestNeighbor: resize('ResizeNearestNeighbor'),
  ResizeBilinearGrad: resizeGrad('ResizeBilinearGrad'),
  ResizeNearestNeighborGrad: resizeGrad('ResizeNearestNeighborGrad'),
  LRN: ({ x }, { depthRadius, bias, alpha, beta }) =>
    op('LRN', [x!], {
      depthRadius: depthRadius as number,
      bias: bias as number,
      alpha: alpha as number,
      beta: beta as number,
    }),
};
