import { int, ints, shapeAttr, text } from '../../../graph/ops/spec.ts';
import type { Node } from '../../../graph/types.ts';
import type { Lowering, Rule } from './context.ts';
import { flattenAsItLies } from './fuse.ts';
import { gather, gatherNd, oneHot } from './index-ops.ts';
import { between, NCHW } from './layout.ts';
import { commonLayout } from './rules.ts';
import { scatterNd, segmentSum } from './scatter.ts';

/** Runs `build` on the operand in its layout, with per-axis attributes permuted accordingly. */
const inAnyLayout =
  (
    build: (c: Lowering, x: string, order: <T>(perAxis: readonly T[]) => T[], node: Parameters<Rule>[0]) => string,
  ): Rule =>
  (node, c) => {
    const { tensor, layout } = c.any(node.inputs[0]!);
    const result = build(c, tensor, (perAxis) => layout.map((axis) => perAxis[axis]!), node);
    c.define(node.outputs[0]!, result, layout);
  };

const reshape: Rule = (node, c) => {
  if (flattenAsItLies(node, c)) return;
  const [x, out] = [node.inputs[0]!, node.outputs[0]!];
  c.define(out, c.reshape(c.plain(x), c.shapeOf(x), c.shapeOf(out)));
};

/** Defines the same tensor in another layout, at no cost. A Transpose node appears only if the plain layout is needed. */
const transpose: Rule = (node, c) => {
  const perm = ints(node.attrs, 'perm');
  const { tensor, layout } = c.any(node.inputs[0]!);
  c.define(node.outputs[0]!, tensor, between(perm, layout));
};

const broadcastTo: Rule = (node, c) => {
  const [x, out] = [node.inputs[0]!, node.outputs[0]!];
  c.define(out, c.one('Expand', [c.plain(x), c.shapeVector(shapeAttr(node.attrs, 'shape'))]));
};

const concat: Rule = (node, c) => {
  const out = node.outputs[0]!;
  const layout = commonLayout(c, node.inputs, c.shapeOf(out).length);
  const parts = node.inputs.map((name) => c.as(name, layout));
  c.define(out, c.one('Concat', parts, { axis: layout.indexOf(int(node.attrs, 'axis')) }), layout);
};

const split: Rule = (node, c) => {
  const { tensor, layout } = c.any(node.inputs[0]!);
  const sizes = c.ints(ints(node.attrs, 'sizes'));
  const axis = layout.indexOf(int(node.attrs, 'axis'));
  const parts = c.emit('Split', [tensor, sizes], { axis }, node.outputs.length);
  node.outputs.forEach((out, i) => c.define(out, parts[i]!, layout));
};

const slice = inAnyLayout((c, x, order, node) => {
  const begin = order(ints(node.attrs, 'begin'));
  const size = order(ints(node.attrs, 'size'));
  const ends = begin.map((from, i) => (size[i] === -1 ? Infinity : from + size[i]!));
  const axes = begin.map((_, i) => i).filter((i) => begin[i] !== 0 || ends[i] !== Infinity);
  if (axes.length === 0) return c.one('Identity', [x]);
  return c.one('Slice', [x, ...[axes.map((i) => begin[i]!), axes.map((i) => ends[i]!), axes].map((v) => c.ints(v))]);
});

const stridedSlice = inAnyLayout((c, x, order, node) => {
  const [begin, end, strides] = ['begin', 'end', 'strides'].map((name) => order(ints(node.attrs, name)));
  const ends = end!.map((to, i) => (strides![i]! < 0 && to < 0 ? -Infinity : to));
  return c.one('Slice', [x, ...[begin!, ends, begin!.map((_, i) => i), strides!].map((v) => c.ints(v))]);
});

const reverse = inAnyLayout((c, x, order, node) => {
  const axes = ints(node.attrs, 'axes');
  const rank = c.shapeOf(node.inputs[0]!).length;
  const flags = order(Array.from({ length: rank }, (_, i) => axes.includes(i)));
  const positions = flags.flatMap((flipped, i) => (flipped ? [i] : []));
  if (positions.length === 0) return c.one('Identity', [x]);
  const each = (value: number): string => c.ints(positions.map(() => value));
  return c.one('Slice', [x, each(-1), each(-Infinity), c.ints(positions), each(-1)]);
});

/** [before, after] per axis. */
function paddings(flat: readonly number[]): [number, number][] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!]);
}

export const isMaxPool = ({ op }: Node): boolean => op === 'MaxPool';

const pad = inAnyLayout((c, x, order, node) => {
  const pads = order(paddings(ints(node.attrs, 'paddings')));
  const { dtype } = c.typeOf(node.inputs[0]!);
  const amounts = c.ints([...pads.map(([before]) => before), ...pads.map(([, after]) => after)]);
  const inputs = [x, amounts, c.scalar(dtype, node.attrs.constantValue as number)];
  // A Pad that names its axes is not fused with a MaxPool, which ONNX Runtime before 1.32 does wrongly.
  if (c.consumersOf(node.outputs[0]!).some(isMaxPool)) inputs.push(c.ints(pads.map((_, axis) => axis)));
  return c.one('Pad', inputs, { mode: 'constant' });
});

/** Mirror padding by a gather along each padded axis: ONNX' Pad has only `reflect`, and not for every type. */
const mirrorPad = inAnyLayout((c, x, order, node) => {
  const pads = order(paddings(ints(node.attrs, 'paddings')));
  const sizes = order(c.shapeOf(node.inputs[0]!));
  const edge = text(node.attrs, 'mode') === 'reflect' ? 1 : 0;
  return pads.reduce((value, [before, after], axis) => {
    if (before === 0 && after === 0) return value;
    const size = sizes[axis] as number;
    const indices = Array.from({ length: before + size + after }, (_, i) => {
      const from = i - before;
      return from < 0 ? -from - 1 + edge : from >= size ? 2 * size - from - 1 - edge : from;
    });
    return c.one('Gather', [value, c.ints(indices)], { axis });
  }, x);
});

const tile = inAnyLayout((c, x, order, node) => {
  const reps = order(ints(node.attrs, 'reps'));
  return reps.length === 0 ? c.one('Identity', [x]) : c.one('Tile', [x, c.ints(reps)]);
});

const depthToSpace: Rule = (node, c) => {
  const [x, out] = [node.inputs[0]!, node.outputs[0]!];
  const { dtype } = c.typeOf(x);
  const operand = dtype === 'float32' ? c.as(x, NCHW) : c.cast(c.as(x, NCHW), 'float64');
  const result = c.one('DepthToSpace', [operand], { blocksize: int(node.attrs, 'blockSize'), mode: 'DCR' });
  c.define(out, dtype === 'float32' ? result : c.cast(result, dtype), NCHW);
};

export const shapeRules: Record<string, Rule> = {
  Reshape: reshape,
  Transpose: transpose,
  BroadcastTo: broadcastTo,
  Concat: concat,
  Split: split,
  Slice: slice,
  StridedSlice: stridedSlice,
  Pad: pad,
  MirrorPad: mirrorPad,
  Tile: tile,
  Reverse: reverse,
  GatherV2: gather,
  GatherNd: gatherNd,
  ScatterNd: scatterNd,
  UnsortedSegmentSum: segmentSum,
  OneHot: oneHot,
  DepthToSpace: depthToSpace,
};
