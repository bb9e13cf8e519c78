import { elementwise } from '../../graph/ops/elementwise.ts';
import { opSpec } from '../../graph/ops.ts';
import { flag, int, ints, shapeAttr } from '../../graph/ops/spec.ts';
import type { Node } from '../../graph/types.ts';
import { along, elementsPerFrame, reshapedPlace, withFrames } from './place.ts';
import type { Planned, Question, StreamRule } from './question.ts';
import { withStillRest, first, outOf, passed, past, shapeOf, overWindow } from './question.ts';
import { refuse } from './refusal.ts';
import type { Frames, Info } from './types.ts';
import { isFrames, looksAhead } from './types.ts';
import { framePast, paddedPast, slicedPast, stridedPast, windowRule } from './windows.ts';

const elementwiseRule: StreamRule = (question) => {
  const { node, graph, infos } = question;
  const rank = outOf(question).length;
  const fromEnd = (name: string, axis: number): number => axis + rank - shapeOf(graph, name).length;
  const found = infos.flatMap((info, i) => (isFrames(info) ? [{ info, name: node.inputs[i]! }] : []));
  const [{ info, name }] = found as [(typeof found)[0]];
  const axis = fromEnd(name, info.place.axis);
  for (const other of found) {
    const { size, stride, ahead } = other.info;
    if (ahead !== info.ahead) looksAhead(node, ahead > info.ahead ? other.info : info);
    if (size !== info.size || stride !== info.stride || fromEnd(other.name, other.info.place.axis) !== axis)
      refuse(node, 'joins frames of different times');
  }
  infos.forEach((still, i) => {
    if (isFrames(still)) return;
    const shape = shapeOf(graph, node.inputs[i]!);
    if (still !== 'still') refuse(node, 'looks ahead: it changes each frame by a value of the whole window');
    const size = shape[axis - rank + shape.length];
    if (size !== undefined && size !== 1) refuse(node, 'treats a frame by its place in the window');
  });
  const { zero } = opSpec(node.op);
  const padded = infos.map((one) => isFrames(one) && one.isPadded);
  const isPadded = padded.some(Boolean);
  const staysZero =
    (zero === 'first' && padded[0] === true) ||
    (zero === 'any' && isPadded) ||
    (zero === 'all' && padded.every(Boolean));
  if (isPadded && !staysZero) refuse(node, 'changes the zeros that stand before the first frame');
  const depth = Math.max(...found.map((one) => one.info.depth));
  return passed(question, { ...info, isPadded, depth }, { ...info.place, axis });
};

const reshape: StreamRule = (question) => {
  const { node, graph } = question;
  const info = first(question);
  const to = shapeAttr(node.attrs, 'shape');
  const place = reshapedPlace(shapeOf(graph, node.inputs[0]!), info.place, to, info.size);
  if (place === undefined) return overWindow(question);
  // Channels before frames in one row, as nets of PyTorch flatten them: the past is kept before they are mixed.
  const isMixed = elementsPerFrame(place) === undefined && place.outer.power + place.inner.power === 0;
  const [row] = node.outputs;
  const readers = graph.nodes.filter(({ inputs }) => inputs.includes(row!));
  if (isMixed && readers.length > 0 && readers.every(({ op }) => op === 'BatchMatMul')) return overWindow(question);
  return passed(question, info, place, (build) =>
    build.copy(node, { attrs: { shape: withFrames(to, place, build.frames(info.stride)) } }),
  );
};

const transpose: StreamRule = (question) => {
  const info = first(question);
  const axis = ints(question.node.attrs, 'perm').indexOf(info.place.axis);
  return passed(question, info, { ...info.place, axis });
};

const reduction: StreamRule = (question) => {
  const info = first(question);
  const { node } = question;
  const { axis } = info.place;
  const axes = ints(node.attrs, 'axes');
  if (axes.includes(axis)) return overWindow(question);
  if (info.isPadded) refuse(node, 'changes the zeros that stand before the first frame');
  const isKept = flag(node.attrs, 'keepDims');
  return passed(question, info, {
    ...info.place,
    axis: isKept ? axis : axis - axes.filter((one) => one < axis).length,
  });
};

const perFrame =
  (axisOf: (node: Node, rank: number) => number): StreamRule =>
  (question) => {
    const { node } = question;
    const info = withStillRest(question);
    const rank = outOf(question).length;
    if (axisOf(node, rank) === info.place.axis) return refuse(node, 'looks ahead: it compares all frames of a window');
    if (info.isPadded) refuse(node, 'changes the zeros that stand before the first frame');
    return passed(question, info, info.place);
  };

const matMul: StreamRule = (question) => {
  const { node, graph, infos } = question;
  if (infos.every((info) => info !== 'still')) return refuse(node, 'looks ahead: it compares all frames of a window');
  const at = infos.findIndex(isFrames);
  const info = infos[at] as Frames;
  const rank = outOf(question).length;
  const shape = shapeOf(graph, node.inputs[at]!);
  const isTransposed = flag(node.attrs, at === 0 ? 'transposeA' : 'transposeB');
  const inner = at === 0 ? (isTransposed ? -2 : -1) : isTransposed ? -1 : -2;
  const { axis } = info.place;
  if (axis === shape.length + inner) {
    if (info.ahead > 0) looksAhead(node, info);
    return overWindow(question, info, at);
  }
  if (info.isPadded) refuse(node, 'comes after zeros before the first frame that no convolution reads');
  const outer = axis === shape.length - 3 - inner;
  const moved = outer ? rank - 2 + at : axis + rank - shape.length;
  return passed(question, info, { ...info.place, axis: moved });
};

const concat: StreamRule = (question) => {
  const { node, infos } = question;
  const info = infos.find(isFrames)!;
  const isAlike = (other: Info): boolean =>
    isFrames(other) &&
    other.size === info.size &&
    other.stride === info.stride &&
    other.place.axis === info.place.axis &&
    other.isPadded === info.isPadded;
  if (int(node.attrs, 'axis') === info.place.axis) return refuse(node, 'puts frames before or behind others');
  const further = infos.find((other) => isFrames(other) && other.ahead !== info.ahead);
  if (further !== undefined)
    looksAhead(
      node,
      [info, further as Frames].find(({ ahead }) => ahead > 0)!,
    );
  if (!infos.every(isAlike)) return refuse(node, 'joins frames of different times');
  return passed(question, info, info.place);
};

const split: StreamRule = (question) => {
  const { node } = question;
  const info = past(question);
  if (int(node.attrs, 'axis') === info.place.axis) return refuse(node, 'takes a window apart');
  return passed(question, info, info.place);
};

const broadcastTo: StreamRule = (question) => {
  const { node, graph } = question;
  const info = past(question);
  const to = shapeAttr(node.attrs, 'shape');
  const place = { ...info.place, axis: info.place.axis + to.length - shapeOf(graph, node.inputs[0]!).length };
  return passed(question, info, place, (build) =>
    build.copy(node, { attrs: { shape: withFrames(to, place, build.frames(info.stride)) } }),
  );
};

const rules: Readonly<Record<string, StreamRule>> = {
  ...Object.fromEntries(Object.keys(elementwise).map((op) => [op, elementwiseRule])),
  Conv2D: windowRule,
  DepthwiseConv2dNative: windowRule,
  MaxPool: windowRule,
  AvgPool: windowRule,
  Reshape: reshape,
  Transpose: transpose,
  BroadcastTo: broadcastTo,
  ...Object.fromEntries(['Sum', 'Mean', 'Max', 'Min', 'Prod', 'LogSumExp'].map((op) => [op, reduction])),
  Softmax: perFrame(({ attrs }) => int(attrs, 'axis')),
  LogSoftmax: perFrame(({ attrs }) => int(attrs, 'axis')),
  FusedBatchNorm: perFrame((_node, rank) => rank - 1),
  LRN: perFrame((_node, rank) => rank - 1),
  BatchMatMul: matMul,
  Concat: concat,
  Slice: slicedPast,
  StridedSlice: stridedPast,
  GatherV2: framePast,
  Pad: paddedPast,
  Split: split,
  Reverse: ({ node }) => refuse(node, 'looks ahead: it turns time round'),
};

/** The node in a stream, or a refusal. */
export function planned(question: Question): Planned {
  const { node } = question;
  const rule = Object.hasOwn(rules, node.op) ? rules[node.op] : undefined;
  if (rule === undefined) return refuse(node, `is ${node.op}, which is not known to look back only`);
  return rule(question);
}

/** The input's frames. */
export function inputFrames(axis: number, size: number): Frames {
  return { place: along(axis), size, stride: 1, ahead: 0, isPadded: false, depth: 0 };
}
