import * as tf from '@tensorflow/tfjs-core';
import type { Value } from '../value.ts';
import { nodeOutputs, op } from '../value.ts';
import { binary } from './elementwise.ts';
import type { Table } from './table.ts';
import {
  axesOf,
  broadcastTo,
  cast,
  concat,
  constant,
  pad,
  rank,
  reshape,
  scalar,
  sizeOfShape,
  slice,
  toFloat,
  transpose,
} from './table.ts';

function sameDtype(values: readonly Value[]): Value[] {
  const dtype = values
    .map((value) => value.type.dtype as tf.DataType)
    .reduce((a, b) => (a === b ? a : tf.upcastType(a, b)));
  return values.map((value) => cast(value, dtype as 'float32'));
}

function select(condition: Value, t: Value, e: Value): Value {
  const [yes, no] = sameDtype([t, e]) as [Value, Value];
  const lead = rank(condition) === 1 && rank(yes) > 1;
  const mask = lead
    ? reshape(condition, [condition.type.shape[0]!, ...yes.type.shape.slice(1).map(() => 1)])
    : condition;
  return op('Select', [cast(mask, 'bool'), yes, no]);
}

/** tfjs also expresses a broadcast as a repetition. */
function tile(x: Value, reps: readonly number[]): Value {
  const broadcast = reps.every((n, i) => n === 1 || (n > 0 && x.type.shape[i] === 1));
  const to = reps.map((n, i) => n * x.type.shape[i]!);
  return broadcast ? broadcastTo(x, to) : op('Tile', [x], { reps: [...reps] });
}

function unpack(value: Value, axis: number): Value[] {
  const [along] = axesOf(axis, value) as [number];
  const { shape } = value.type;
  const out = shape.filter((_, i) => i !== along);
  return split(
    value,
    along,
    Array.from({ length: shape[along]! }, () => 1),
  ).map((piece) => reshape(piece, out));
}

function split(x: Value, axis: number, sizes: readonly number[]): Value[] {
  return sizes.length === 1 ? [x] : nodeOutputs('Split', [x], { axis, sizes: [...sizes] });
}

function stridedSlice(x: Value, attrs: Readonly<Record<string, unknown>>): Value {
  const list = (name: string): number[] => attrs[name] as number[];
  const mask = (name: string): number => (attrs[name] as number | undefined) ?? 0;
  const info = tf.slice_util.sliceInfo(
    [...x.type.shape],
    list('begin'),
    list('end'),
    list('strides'),
    mask('beginMask'),
    mask('endMask'),
    mask('ellipsisMask'),
    mask('newAxisMask'),
    mask('shrinkAxisMask'),
  );
  const { begin, end, strides, finalShape, finalShapeSparse } = info;
  if (sizeOfShape(finalShape) === 0) return emptied(x, finalShape);
  const simple = strides.every((stride) => stride === 1);
  const picked = simple
    ? slice(
        x,
        begin,
        begin.map((b, i) => end[i]! - b),
      )
    : op('StridedSlice', [x], {
        begin: [...begin],
        end: begin.map((b, i) => b + finalShapeSparse[i]! * strides[i]!).map((e) => Math.max(e, -1)),
        strides: [...strides],
      });
  return reshape(picked, finalShape);
}

/** Empty tensor of the given shape (which contains a 0). */
function emptied(x: Value, to: readonly number[]): Value {
  return constant([], to, x.type.dtype as 'float32');
}

/** A tensor for helpers of tfjs that only read its shape. */
function tensorLike(x: Value): tf.Tensor {
  return { shape: [...x.type.shape], rank: rank(x), dtype: x.type.dtype } as unknown as tf.Tensor;
}

function spaceToBatch(x: Value, blockShape: readonly number[], paddings: readonly (readonly number[])[]): Value {
  const { getReshaped, getPermuted, getReshapedPermuted } = tf.backend_util;
  const block = [...blockShape];
  const rest = Array.from({ length: rank(x) - 1 - block.length }, () => [0, 0]);
  const padded = pad(x, [[0, 0], ...paddings, ...rest]);
  const shape = [...padded.type.shape];
  const cut = reshape(padded, getReshaped(shape, block, sizeOfShape(block), false));
  const moved = transpose(cut, getPermuted(rank(cut), block.length, false));
  return reshape(moved, getReshapedPermuted(shape, block, sizeOfShape(block), false));
}

function batchToSpace(x: Value, blockShape: readonly number[], crops: readonly (readonly number[])[]): Value {
  const { getReshaped, getPermuted, getReshapedPermuted, getSliceBeginCoords, getSliceSize } = tf.backend_util;
  const [block, shape, cut] = [[...blockShape], [...x.type.shape], crops as number[][]];
  const pieces = reshape(x, getReshaped(shape, block, sizeOfShape(block)));
  const moved = transpose(pieces, getPermuted(rank(pieces), block.length));
  const whole = getReshapedPermuted(shape, block, sizeOfShape(block));
  const begin = getSliceBeginCoords(cut, block.length);
  const length = getSliceSize(whole, cut, block.length);
  return slice(
    reshape(moved, whole),
    whole.map((_, i) => begin[i] ?? 0),
    whole.map((dim, i) => length[i] ?? dim),
  );
}

function einsum(terms: readonly Value[], equation: string): Value {
  const { allDims, summedDims, idDims } = tf.backend_util.decodeEinsumEquation(equation, terms.length);
  tf.backend_util.checkEinsumDimSizes(allDims.length, idDims, terms.map(tensorLike));
  const { path, steps } = tf.backend_util.getEinsumComputePath(summedDims, idDims);
  let product: Value | undefined;
  let remaining = allDims.length;
  steps.forEach((step, i) => {
    for (const id of step) {
      const { permutationIndices, expandDims } = tf.backend_util.getEinsumPermutation(remaining, idDims[id]!);
      const x = transpose(terms[id]!, permutationIndices);
      const shape = [...x.type.shape];
      for (const at of expandDims) shape.splice(at, 0, 1);
      product = product === undefined ? reshape(x, shape) : binary('Multiply', reshape(x, shape), product);
    }
    if (i === steps.length - 1) return;
    const along = path[i]!;
    if (along >= 0) product = op('Sum', [product!], { axes: [along - (allDims.length - remaining)], keepDims: false });
    remaining--;
  });
  return product!;
}

export const shape: Table = {
  Transpose: ({ x }, { perm }) => transpose(x!, perm as number[]),
  BroadcastTo: ({ x }, { shape: to }) => broadcastTo(x!, to as number[]),
  Tile: ({ x }, { reps }) => tile(x!, reps as number[]),
  Concat: (inputs, { axis }) => {
    const values = Object.values(inputs);
    const [along] = axesOf(axis as number, values[0]!) as [number];
    tf.backend_util.assertParamsConsistent(
      values.map(({ type }) => [...type.shape]),
      along,
    );
    const full = values.filter((value) => sizeOfShape(value.type.shape) > 0);
    return concat(sameDtype(full.length === 0 ? values : full), along);
  },
  Pack: (inputs, { axis }) => {
    const values = Object.values(inputs);
    const shape = [...values[0]!.type.shape];
    for (const { type } of values) {
      tf.util.assertShapesMatch(shape, [...type.shape], 'All tensors passed to stack must have matching shapes');
      tf.util.assert(
        type.dtype === values[0]!.type.dtype,
        () => 'All tensors passed to stack must have matching dtypes',
      );
    }
    const along = (axis as number) < 0 ? (axis as number) + shape.length + 1 : (axis as number);
    shape.splice(along, 0, 1);
    return concat(
      values.map((value) => reshape(value, shape)),
      along,
    );
  },
  Unpack: ({ value }, { axis }) => unpack(value!, axis as number),
  SplitV: ({ x }, { numOrSizeSplits, axis }) => {
    const [along] = axesOf(axis as number, x!) as [number];
    return split(x!, along, tf.backend_util.prepareSplitSize(tensorLike(x!), numOrSizeSplits as number[], along));
  },
  Slice: ({ x }, { begin, size: length }) => {
    const [from, n] = tf.slice_util.parseSliceParams(tensorLike(x!), begin as number[], length as number[]) as [
      number[],
      number[],
    ];
    tf.slice_util.assertParamsValid(tensorLike(x!), from, n);
    return slice(x!, from, n);
  },
  StridedSlice: ({ x }, attrs) => stridedSlice(x!, attrs),
  PadV2: ({ x }, { paddings, constantValue }) =>
    pad(x!, paddings as number[][], (constantValue as number | undefined) ?? 0),
  MirrorPad: ({ x }, { paddings, mode }) =>
    op('MirrorPad', [x!], { paddings: (paddings as number[][]).flat(), mode: mode as string }),
  Reverse: ({ x }, { dims }) => (rank(x!) === 0 ? x! : op('Reverse', [x!], { axes: axesOf(dims as number[], x!) })),
  GatherV2: ({ x, indices }, attrs) => {
    const [axis] = axesOf(attrs.axis as number, x!) as [number];
    const batchDims = (attrs.batchDims as number | undefined) ?? 0;
    tf.backend_util.segment_util.collectGatherOpShapeInfo(tensorLike(x!), tensorLike(indices!), axis, batchDims);
    return op('GatherV2', [x!, cast(indices!, 'int32')], {
      axis,
      batchDims: batchDims < 0 ? batchDims + rank(indices!) : batchDims,
    });
  },
  GatherNd: ({ params, indices }) => {
    tf.backend_util.prepareAndValidate(tensorLike(params!), tensorLike(indices!));
    return op('GatherNd', [params!, cast(indices!, 'int32')]);
  },
  ScatterNd: ({ indices, updates }, { shape: to }) =>
    op('ScatterNd', [cast(indices!, 'int32'), updates!], { shape: [...(to as number[])] }),
  UnsortedSegmentSum: ({ x, segmentIds }, { numSegments }) =>
    op('UnsortedSegmentSum', [x!, cast(segmentIds!, 'int32')], { numSegments: numSegments as number }),
  OneHot: ({ indices }, { depth, onValue, offValue, dtype }) =>
    op('OneHot', [cast(indices!, 'int32')], {
      depth: depth as number,
      onValue: (onValue as number | undefined) ?? 1,
      offValue: (offValue as number | undefined) ?? 0,
      dtype: (dtype as string | undefined) ?? 'float32',
    }),
  DepthToSpace: ({ x }, { blockSize, dataFormat }) => {
    const first = dataFormat === 'NCHW';
    const y = op('DepthToSpace', [first ? transpose(x!, [0, 2, 3, 1]) : x!], { blockSize: blockSize as number });
    return first ? transpose(y, [0, 3, 1, 2]) : y;
  },
  SpaceToBatchND: ({ x }, { blockShape, paddings }) => spaceToBatch(x!, blockShape as number[], paddings as number[][]),
  BatchToSpaceND: ({ x }, { blockShape, crops }) => batchToSpace(x!, blockShape as number[], crops as number[][]),
  Select: ({ condition, t, e }) => select(condition!, t!, e!),
  Einsum: (inputs, { equation }) => einsum(Object.values(inputs).map(toFloat), equation as string),
  Diag: ({ x }) => {
    const n = sizeOfShape(x!.type.shape);
    const eye = op(
      'OneHot',
      [
        constant(
          Array.from({ length: n }, (_, i) => i),
          [n],
          'int32',
        ),
      ],
      { depth: n, onValue: 1, offValue: 0, dtype: 'bool' },
    );
    const flat = reshape(x!, [n]);
    return reshape(op('Select', [eye, flat, scalar(0, flat.type.dtype)]), [...x!.type.shape, ...x!.type.shape]);
  },
};
