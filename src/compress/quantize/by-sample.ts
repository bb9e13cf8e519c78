import { transposeData } from '../../formats/onnx/lower/layout.ts';
import { batchFactor } from '../../graph/shapes.ts';
import type { Shape } from '../../graph/types.ts';

/** A value as [before, samples, of each, behind]: the batch, or a multiple of it, may be any axis of its shape. */
function parts(shape: Shape, samples: number): [before: number, samples: number, each: number, behind: number] {
  const axis = shape.findIndex((dim) => typeof dim !== 'number');
  const product = (dims: Shape): number => dims.reduce<number>((all, dim) => all * (dim as number), 1);
  if (axis < 0) throw new Error(`the shape [${shape.join(', ')}] has no batch`);
  return [product(shape.slice(0, axis)), samples, batchFactor(shape[axis]!), product(shape.slice(axis + 1))];
}

/** The values of one sample after another, of data that lie as `shape` says. */
export function bySample(data: Float32Array, shape: Shape, samples: number): Float32Array {
  const dims = parts(shape, samples);
  return dims[0] === 1 ? data : (transposeData(data, dims, [1, 0, 2, 3]) as Float32Array);
}

/** The way back. */
export function asShaped(data: Float32Array, shape: Shape, samples: number): Float32Array {
  const [before, count, each, behind] = parts(shape, samples);
  return before === 1 ? data : (transposeData(data, [count, before, each, behind], [1, 0, 2, 3]) as Float32Array);
}
