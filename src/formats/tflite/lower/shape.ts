import { sameShape } from '../../../graph/shapes.ts';
import type { Shape } from '../../../graph/types.ts';
import type { LoweringContext, TfliteLowering } from './context.ts';

/** Sizes for TFLite's RESHAPE, in which -1 stands for the batch axis, the remaining size. */
function reshapeSizes(shape: Shape): number[] {
  return shape.map((dim) => (typeof dim === 'number' ? dim : -1));
}

function reshape(c: LoweringContext): void {
  const to = c.out().shape;
  if (sameShape(c.shape(c.input(0)), to)) {
    c.same(c.input(0));
    return;
  }
  if (to.filter((dim) => typeof dim !== 'number').length > 1)
    c.fail('has the batch size in more than one axis', 'Export with a fixed batch size.');
  c.emit('RESHAPE', [c.input(0), c.program.ints(reshapeSizes(to), 'shape')]);
}

function transpose(c: LoweringContext): void {
  const perm = c.ints('perm');
  if (perm.every((p, i) => p === i)) {
    c.same(c.input(0));
    return;
  }
  c.emit('TRANSPOSE', [c.input(0), c.program.ints(perm, 'perm')]);
}

function broadcastTo(c: LoweringContext): void {
  const [x, to] = [c.input(0), c.out().shape];
  if (sameShape(c.shape(x), to)) {
    c.same(x);
    return;
  }
  const like = c.shape(x).includes('batch')
    ? x
    : [...c.program.inputs.values()].find((name) => c.shape(name).includes('batch'));
  c.emit('BROADCAST_TO', [x, c.shapeValue(to, like ?? x)]);
}

function split(c: LoweringContext): void {
  const [x, axis, sizes] = [c.input(0), c.attr('axis'), c.ints('sizes')];
  if (sizes.length === 1) {
    c.same(x);
    return;
  }
  const numSplits = sizes.length;
  if (sizes.every((size) => size === sizes[0])) {
    c.emit('SPLIT', [c.program.int(axis, 'axis'), x], { type$: 'SplitOptions', numSplits });
    return;
  }
  c.emit('SPLIT_V', [x, c.program.ints(sizes, 'sizes'), c.program.int(axis, 'axis')], {
    type$: 'SplitVOptions',
    numSplits,
  });
}

function slice(c: LoweringContext): void {
  const [begin, size] = [c.ints('begin'), c.ints('size')];
  if (sameShape(c.shape(c.input(0)), c.out().shape)) {
    c.same(c.input(0));
    return;
  }
  c.emit('SLICE', [c.input(0), c.program.ints(begin, 'begin'), c.program.ints(size, 'size')]);
}

/** An end of -1 with a negative stride means "through element 0", which TFLite expresses by a mask. */
function stridedSlice(c: LoweringContext): void {
  const [begin, end, strides] = [c.ints('begin'), c.ints('end'), c.ints('strides')];
  const endMask = end.reduce((mask, value, i) => (value < 0 && strides[i]! < 0 ? mask | (1 << i) : mask), 0);
  const inputs = [c.program.ints(begin, 'begin'), c.program.ints(end, 'end'), c.program.ints(strides, 'strides')];
  c.emit('STRIDED_SLICE', [c.input(0), ...inputs], { type$: 'StridedSliceOptions', endMask });
}

function paddingsValue(c: LoweringContext): string {
  const paddings = c.ints('paddings');
  return c.program.constant({ dtype: 'int32', shape: [paddings.length / 2, 2] }, Int32Array.from(paddings), 'paddings');
}

function pad(c: LoweringContext): void {
  const [x, value] = [c.input(0), c.attr('constantValue')];
  if (c.ints('paddings').every((amount) => amount === 0)) {
    c.same(x);
    return;
  }
  if (value === 0) {
    c.emit('PAD', [x, paddingsValue(c)]);
    return;
  }
  const { dtype } = c.type(x);
  const constant =
    dtype === 'int32'
      ? c.program.int(value)
      : c.program.constant({ dtype: 'float32', shape: [] }, Float32Array.of(value), 'value');
  c.emit('PADV2', [x, paddingsValue(c), constant]);
}

/** One axis at a time: TFLite supports several only since recently, and only adjacent ones. */
function reverse(c: LoweringContext): void {
  const axes = c.ints('axes');
  if (axes.length === 0) {
    c.same(c.input(0));
    return;
  }
  const last = axes.at(-1)!;
  const x = axes.slice(0, -1).reduce((value, axis) => {
    return c.temp('REVERSE_V2', [value, c.program.ints([axis], 'axis')], c.type(value));
  }, c.input(0));
  c.emit('REVERSE_V2', [x, c.program.ints([last], 'axis')]);
}

function oneHot(c: LoweringContext): void {
  const { dtype } = c.out();
  const scalar = (value: number): string => {
    if (dtype === 'float32') return c.program.float(value);
    if (dtype === 'int32') return c.program.int(value);
    return c.fail(`has the type ${dtype}, which TFLite has not`, 'Use float32 or int32.');
  };
  const { program } = c;
  const [on, off] = [scalar(c.attr('onValue')), scalar(c.attr('offValue'))];
  c.emit('ONE_HOT', [c.input(0), program.int(c.attr('depth'), 'depth'), on, off], { type$: 'OneHotOptions', axis: -1 });
}

const mirrorPad: TfliteLowering = (c) =>
  c.emit('MIRROR_PAD', [c.input(0), paddingsValue(c)], {
    type$: 'MirrorPadOptions',
    mode: c.attr<string>('mode') === 'reflect' ? 0 : 1,
  });

function gather(c: LoweringContext): void {
  const batchDims = c.attr('batchDims');
  const options = { type$: 'GatherOptions', axis: c.attr('axis'), ...(batchDims === 0 ? {} : { batchDims }) };
  c.emit('GATHER', c.inputs(), options);
}

export const shape: Readonly<Record<string, TfliteLowering>> = {
  Reshape: reshape,
  Transpose: transpose,
  BroadcastTo: broadcastTo,
  Concat: (c) =>
    c.node.inputs.length === 1
      ? c.same(c.input(0))
      : c.emit('CONCATENATION', c.inputs(), { type$: 'ConcatenationOptions', axis: c.attr('axis') }),
  Split: split,
  Slice: slice,
  StridedSlice: stridedSlice,
  Pad: pad,
  MirrorPad: mirrorPad,
  Tile: (c) => c.emit('TILE', [c.input(0), c.program.ints(c.ints('reps'), 'reps')]),
  Reverse: reverse,
  GatherV2: gather,
  GatherNd: (c) => c.emit('GATHER_ND', c.inputs()),
  ScatterNd: (c) => c.emit('SCATTER_ND', [...c.inputs(), c.program.ints(c.ints('shape'), 'shape')]),
  UnsortedSegmentSum: (c) =>
    c.emit('UNSORTED_SEGMENT_SUM', [...c.inputs(), c.program.int(c.attr('numSegments'), 'segments')]),
  OneHot: oneHot,
  DepthToSpace: (c) =>
    c.emit('DEPTH_TO_SPACE', [c.input(0)], { type$: 'DepthToSpaceOptions', blockSize: c.attr('blockSize') }),
};
