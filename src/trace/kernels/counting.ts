import type { Value } from '../value.ts';
import { op } from '../value.ts';
import { matMul } from './matmul.ts';
import type { Table } from './table.ts';
import { broadcastTo, cast, constant, filled, rank, reshape, scalar, sizeOfShape } from './table.ts';

function sum(x: Value, axes: readonly number[]): Value {
  return op('Sum', [x], { axes: [...axes], keepDims: false });
}

/** Counts of each of `size` values in the last axis of x, weighted if there are weights. */
function histogram(x: Value, weights: Value, bins: number, binary: boolean): Value {
  const { dtype } = weights.type;
  const hits = op('OneHot', [cast(x, 'int32')], { depth: bins, onValue: 1, offValue: 0, dtype });
  const axes = [rank(x) - 1];
  if (binary) return op('Max', [hits], { axes, keepDims: false });
  const weighted =
    sizeOfShape(weights.type.shape) === 0 ? hits : op('Multiply', [hits, reshape(weights, [...x.type.shape, 1])]);
  return sum(weighted, axes);
}

/** Index tuples, one per row. */
function tuples(indices: Value): Value {
  const { shape } = indices.type;
  return cast(rank(indices) < 2 ? reshape(indices, [sizeOfShape(shape), 1]) : indices, 'int32');
}

/** `updates` at `indices`, `otherwise` elsewhere. Values at repeated indices are added. */
function scattered(indices: Value, updates: Value, shape: readonly number[], otherwise: Value): Value {
  const { dtype } = updates.type;
  const numeric = dtype === 'bool' ? cast(updates, 'int32') : updates;
  const hit = op('ScatterNd', [indices, filled(1, updates.type.shape, 'int32')], { shape: [...shape] });
  const values = cast(op('ScatterNd', [indices, numeric], { shape: [...shape] }), dtype);
  return op('Select', [op('Greater', [hit, scalar(0, 'int32')]), values, cast(otherwise, dtype)]);
}

/** Sums over `depthRadius` neighbours to each side along the last axis, as a product with a banded matrix. */
function neighbours(x: Value, depthRadius: number): Value {
  const channels = x.type.shape.at(-1)!;
  const band = Array.from({ length: channels * channels }, (_, i) =>
    Math.abs(Math.floor(i / channels) - (i % channels)) <= depthRadius ? 1 : 0,
  );
  const flat = reshape(x, [sizeOfShape(x.type.shape) / channels, channels]);
  return reshape(matMul(flat, constant(band, [channels, channels])), x.type.shape);
}

export const counting: Table = {
  Bincount: ({ x, weights }, { size: bins }) =>
    histogram(reshape(x!, [sizeOfShape(x!.type.shape)]), weights!, bins as number, false),
  DenseBincount: ({ x, weights }, { size: bins, binaryOutput }) =>
    histogram(x!, weights!, bins as number, binaryOutput === true),
  SparseToDense: ({ sparseIndices, sparseValues, defaultValue }, { outputShape }) => {
    if (sizeOfShape(sparseIndices!.type.shape) === 0) return broadcastTo(defaultValue!, outputShape as number[]);
    const indices = tuples(sparseIndices!);
    const values = broadcastTo(sparseValues!, [indices.type.shape[0]!]);
    return scattered(indices, values, outputShape as number[], defaultValue!);
  },
  TensorScatterUpdate: ({ tensor, indices, updates }) =>
    scattered(cast(indices!, 'int32'), updates!, tensor!.type.shape, tensor!),
  /** For each value, the number of elements of its sorted row before it. */
  SearchSorted: ({ sortedSequence, values }, { side }) => {
    const [batch, length] = sortedSequence!.type.shape as readonly [number, number];
    const found = values!.type.shape[1]!;
    const [sequence, wanted] = [reshape(sortedSequence!, [batch, 1, length]), reshape(values!, [batch, found, 1])];
    const before = op(side === 'left' ? 'Less' : 'LessEqual', [sequence, wanted]);
    return sum(cast(before, 'int32'), [2]);
  },
  FlipLeftRight: ({ image }) => op('Reverse', [image!], { axes: [2] }),
  LRNGrad: ({ x, y, dy }, attrs) => {
    const [radius, bias, alpha, beta] = ['depthRadius', 'bias', 'alpha', 'beta'].map(
      (name) => attrs[name] as number,
    ) as [number, number, number, number];
    const squares = neighbours(op('Square', [x!]), radius);
    const norm = op('Add', [op('Multiply', [squares, scalar(alpha)]), scalar(bias)]);
    const direct = op('Multiply', [dy!, op('Pow', [norm, scalar(-beta)])]);
    const across = neighbours(op('RealDiv', [op('Multiply', [dy!, y!]), norm]), radius);
    return op('Sub', [direct, op('Multiply', [op('Multiply', [x!, across]), scalar(2 * alpha * beta)])]);
  },
};
