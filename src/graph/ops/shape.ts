import { batchFactor, batchTimes, broadcast, sameShape, symbolicSize } from '../shapes.ts';
import type { Dim } from '../types.ts';
import type { OpSpec } from './spec.ts';
import { expect, int, ints, shapeAttr, show, type } from './spec.ts';

function times(dim: Dim, n: number): Dim {
  return typeof dim === 'number' ? dim * n : batchTimes(batchFactor(dim) * n);
}

function plus(dim: Dim, n: number): Dim {
  if (n === 0) return dim;
  expect(typeof dim === 'number', 'the batch axis cannot be padded or concatenated with something of fixed size');
  return dim + n;
}

/** `paddings`: before and after, axis by axis, flattened. */
const padded: OpSpec['infer'] = ([x], attrs) => {
  const paddings = ints(attrs, 'paddings');
  const sizes = x!.shape.map((dim, i) => plus(dim, paddings[2 * i]! + paddings[2 * i + 1]!));
  return [type(x!.dtype, sizes)];
};

function concatenated(dims: readonly Dim[]): Dim {
  if (dims.every((dim) => typeof dim === 'number')) return dims.reduce((sum, dim) => sum + dim, 0);
  expect(
    dims.every((dim) => typeof dim !== 'number'),
    'the batch axis cannot be concatenated with one of fixed size',
  );
  return batchTimes(dims.reduce<number>((sum, dim) => sum + batchFactor(dim), 0));
}

export const shape = {
  Reshape: {
    inputs: ['x'],
    attrs: { shape: 'shape' },
    infer: ([x], attrs) => {
      const to = shapeAttr(attrs, 'shape');
      const [a, b] = [symbolicSize(x!.shape), symbolicSize(to)];
      expect(
        a.factor === b.factor && (a.power === b.power || a.factor === 0),
        `cannot reshape ${show(x!.shape)} to ${show(to)}`,
      );
      return [type(x!.dtype, to)];
    },
    handsOn: 'kept',
  },
  Transpose: {
    inputs: ['x'],
    attrs: { perm: 'ints' },
    infer: ([x], attrs) => {
      const perm = ints(attrs, 'perm');
      const valid = perm.length === x!.shape.length && perm.every((_, i) => perm.includes(i));
      expect(valid, `${show(perm)} is not a permutation of the axes of ${show(x!.shape)}`);
      return [
        type(
          x!.dtype,
          perm.map((p) => x!.shape[p]!),
        ),
      ];
    },
    handsOn: 'moved',
  },
  BroadcastTo: {
    inputs: ['x'],
    attrs: { shape: 'shape' },
    infer: ([x], attrs) => {
      const to = shapeAttr(attrs, 'shape');
      expect(sameShape(broadcast(x!.shape, to), to), `${show(x!.shape)} does not broadcast to ${show(to)}`);
      return [type(x!.dtype, to)];
    },
    handsOn: 'chosen',
  },
  Concat: {
    inputs: ['x*'],
    attrs: { axis: 'int' },
    infer: (inputs, attrs) => {
      const axis = int(attrs, 'axis');
      const first = inputs[0]!;
      for (const other of inputs) {
        const fits =
          other.shape.length === first.shape.length &&
          other.shape.every((dim, i) => i === axis || dim === first.shape[i]);
        expect(fits, `cannot concatenate ${show(first.shape)} and ${show(other.shape)} along axis ${axis}`);
        expect(other.dtype === first.dtype, `cannot concatenate ${first.dtype} and ${other.dtype}`);
      }
      const sum = concatenated(inputs.map(({ shape }) => shape[axis]!));
      return [
        type(
          first.dtype,
          first.shape.map((dim, i) => (i === axis ? sum : dim)),
        ),
      ];
    },
  },
  /** Splits into pieces of `sizes` along `axis`. */
  Split: {
    inputs: ['x'],
    attrs: { axis: 'int', sizes: 'ints' },
    infer: ([x], attrs) => {
      const axis = int(attrs, 'axis');
      const sizes = ints(attrs, 'sizes');
      const total = sizes.reduce((sum, size) => sum + size, 0);
      expect(x!.shape[axis] === total, `sizes ${show(sizes)} do not add up to axis ${axis} of ${show(x!.shape)}`);
      return sizes.map((size) =>
        type(
          x!.dtype,
          x!.shape.map((dim, i) => (i === axis ? size : dim)),
        ),
      );
    },
    handsOn: 'cut',
  },
  /** `size` -1 takes all from `begin` on: the only way to keep the batch axis. */
  Slice: {
    inputs: ['x'],
    attrs: { begin: 'ints', size: 'ints' },
    infer: ([x], attrs) => {
      const begin = ints(attrs, 'begin');
      const size = ints(attrs, 'size');
      const out = x!.shape.map((dim, i) => {
        const [from, n] = [begin[i]!, size[i]!];
        if (n === -1) return plus(dim, -from);
        expect(typeof dim === 'number', 'a slice of the batch axis cannot have a fixed size');
        expect(from >= 0 && from + n <= dim, `slice ${show(begin)} + ${show(size)} is outside ${show(x!.shape)}`);
        return n;
      });
      return [type(x!.dtype, out)];
    },
    handsOn: 'cut',
  },
  /** Non-negative `begin`; `end` exclusive, -1 with a negative stride meaning "through element 0"; no masks. */
  StridedSlice: {
    inputs: ['x'],
    attrs: { begin: 'ints', end: 'ints', strides: 'ints' },
    infer: ([x], attrs) => {
      const [begin, end, strides] = [ints(attrs, 'begin'), ints(attrs, 'end'), ints(attrs, 'strides')];
      const out = x!.shape.map((dim, i) => {
        expect(typeof dim === 'number', 'a strided slice needs a fixed shape');
        return Math.max(0, Math.ceil((end[i]! - begin[i]!) / strides[i]!));
      });
      return [type(x!.dtype, out)];
    },
    handsOn: 'cut',
  },
  /** `paddings`: before and after, axis by axis, flattened. */
  Pad: {
    inputs: ['x'],
    attrs: { paddings: 'ints', constantValue: 'float' },
    infer: padded,
  },
  /** `mode`: `reflect` (edge not repeated) or `symmetric` (edge repeated). */
  MirrorPad: {
    inputs: ['x'],
    attrs: { paddings: 'ints', mode: 'string' },
    infer: padded,
    handsOn: 'chosen',
  },
  Tile: {
    inputs: ['x'],
    attrs: { reps: 'ints' },
    infer: ([x], attrs) => [
      type(
        x!.dtype,
        x!.shape.map((dim, i) => times(dim, ints(attrs, 'reps')[i]!)),
      ),
    ],
    handsOn: 'chosen',
  },
  Reverse: { inputs: ['x'], attrs: { axes: 'ints' }, infer: ([x]) => [x!], handsOn: 'moved' },
  /** Slices of `x` along `axis`, one for each index; the first `batchDims` axes of both correspond. */
  GatherV2: {
    inputs: ['x', 'indices'],
    attrs: { axis: 'int', batchDims: 'int' },
    infer: ([x, indices], attrs) => {
      const [axis, batchDims] = [int(attrs, 'axis'), int(attrs, 'batchDims')];
      const out = [...x!.shape.slice(0, axis), ...indices!.shape.slice(batchDims), ...x!.shape.slice(axis + 1)];
      return [type(x!.dtype, out)];
    },
    handsOn: 'chosen',
  },
  GatherNd: {
    inputs: ['params', 'indices'],
    attrs: {},
    infer: ([params, indices]) => {
      const depth = indices!.shape.at(-1) as number;
      return [type(params!.dtype, [...indices!.shape.slice(0, -1), ...params!.shape.slice(depth)])];
    },
    handsOn: 'chosen',
  },
  /** Zeros of `shape` with `updates` added at `indices` (repeated indices add up). */
  ScatterNd: {
    inputs: ['indices', 'updates'],
    attrs: { shape: 'ints' },
    infer: ([, updates], attrs) => [type(updates!.dtype, ints(attrs, 'shape'))],
  },
  /** Rows of `x` summed by segment id: out[s] = Σ x[i] over segmentIds[i] = s; the gradient of a gather. */
  UnsortedSegmentSum: {
    inputs: ['x', 'segmentIds'],
    attrs: { numSegments: 'int' },
    infer: ([x, ids], attrs) => [type(x!.dtype, [int(attrs, 'numSegments'), ...x!.shape.slice(ids!.shape.length)])],
  },
  OneHot: {
    inputs: ['indices'],
    attrs: { depth: 'int', onValue: 'float', offValue: 'float', dtype: 'dtype' },
    infer: ([indices], attrs) => [type(attrs.dtype as 'float32', [...indices!.shape, int(attrs, 'depth')])],
  },
  /** NHWC depth to space, `blockSize` squared channels to one pixel block. */
  DepthToSpace: {
    inputs: ['x'],
    attrs: { blockSize: 'int' },
    infer: ([x], attrs) => {
      const block = int(attrs, 'blockSize');
      const [n, h, w, c] = x!.shape as readonly [Dim, number, number, number];
      return [type(x!.dtype, [n, h * block, w * block, c / (block * block)])];
    },
    handsOn: 'moved',
  },
} satisfies Record<string, OpSpec>;
