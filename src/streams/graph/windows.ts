import { int, ints } from '../../graph/ops/spec.ts';
import type { Node } from '../../graph/types.ts';
import type { StreamBuild } from './build.ts';
import { isAxis, withFrames } from './place.ts';
import type { TimePlace } from './place.ts';
import type { Planned, Question, Reach, StreamRule } from './question.ts';
import { withStillRest, first, outOf, passed, shapeOf } from './question.ts';
import { layerOf, MixedChannels, refuse } from './refusal.ts';
import type { Frames } from './types.ts';
import { looksAhead } from './types.ts';

/** Frames `step` apart that each see `kernel` frames, `dilation` apart, the first of them `before` before its own. */
interface Window {
  readonly kernel: number;
  readonly step: number;
  readonly dilation: number;
  readonly before: number;
  /** Frames of the result in a window. */
  readonly size: number;
  /** Zeros before the first frame are handed on. */
  readonly isPadded?: boolean;
}

/** The result of a window over frames: frames, or a value of the window where it is one frame. */
function windowed(
  { node, window }: Question,
  info: Frames,
  place: TimePlace,
  { kernel, step, dilation, before, size, isPadded = false }: Window,
  emit: (build: StreamBuild, taken: string, frames: number) => readonly string[],
): Planned {
  const reachOf = (frame: number): number => frame * step - before + (kernel - 1) * dilation;
  const last = info.size - 1 - info.ahead;
  let ahead = 0;
  while (ahead < size && reachOf(size - 1 - ahead) > last) ahead++;
  const stride = info.stride * step;
  const isWindow = size === 1;
  const by = ahead > 0 ? (info.by ?? layerOf(node)) : undefined;
  const result: Frames = { ...info, place, size, stride, ahead, isPadded, by };
  if (ahead === size || (isWindow && ahead > 0)) looksAhead(node, result);
  if (before > 0) expectFromStart(node, info, window);
  if (!isPadded && (size - ahead) * stride > window)
    refuse(node, 'has frames that end before the first frame of the input');
  const lag = last - reachOf(size - 1 - ahead);
  const count = (ofStride: (stride: number) => number): number => {
    const frames = isWindow ? 1 : ofStride(stride);
    return (frames - 1) * step + (kernel - 1) * dilation + 1;
  };
  const value = node.inputs[0]!;
  return {
    infos: [isWindow ? 'window' : result],
    reaches: [{ value, frames: count, lag }],
    emit: (build) => {
      const ofStride = (one: number): number => build.frames(one);
      const taken = build.take(node, value, count(ofStride), lag);
      return emit(build, taken, isWindow ? 1 : build.frames(stride));
    },
    ...((before > 0 || info.isPadded) && { isUnlikeWindow: true }),
  };
}

/** Fails where layers without padding made the first frames later than those of the input: a stream would take them for what they never were. */
export function expectFromStart(node: Node, { size, ahead, stride, isPadded }: Frames, window: number): void {
  if (!isPadded && (size - ahead) * stride < window)
    refuse(
      node,
      `begins with frames that come later than the input's, because layers before it have no padding; pad these in front`,
    );
}

export const windowRule: StreamRule = (question) => {
  const { node, graph } = question;
  const info = withStillRest(question);
  const d = info.place.axis - 1;
  if (!isAxis(info.place) || d < 0 || d > 1) throw new MixedChannels(node);
  const isPool = node.op.endsWith('Pool');
  const kernel = isPool ? ints(node.attrs, 'filterSize')[d]! : (shapeOf(graph, node.inputs[1]!)[d] as number);
  const pads = ints(node.attrs, 'pads');
  const [before, after] = [pads[2 * d]!, pads[2 * d + 1]!];
  if (isPool && before + after > 0) return refuse(node, 'pools beyond the ends of a window');
  const window: Window = {
    kernel,
    step: ints(node.attrs, 'strides')[d]!,
    dilation: ints(node.attrs, 'dilations')[d]!,
    before,
    size: outOf(question)[info.place.axis] as number,
  };
  return windowed(question, info, info.place, window, (build, taken) =>
    build.copy(node, {
      inputs: [taken, ...node.inputs.slice(1).map((name) => build.name(name))],
      attrs: { ...node.attrs, pads: pads.map((pad, i) => (i >> 1 === d ? 0 : pad)) },
    }),
  );
};

/** Frames `begin`, `begin + step` ... of a value. */
function cut(
  question: Question,
  begin: number,
  step: number,
  emit: (build: StreamBuild, taken: string, frames: number) => readonly string[],
): Planned {
  const info = first(question);
  const { node } = question;
  if (!isAxis(info.place)) return refuse(node, 'cuts frames that are folded into another axis');
  const size = outOf(question)[info.place.axis] as number;
  const window = { kernel: 1, step, dilation: 1, before: -begin, size, isPadded: info.isPadded };
  return windowed(question, info, info.place, window, emit);
}

export const slicedPast: StreamRule = (question) => {
  const { node, graph } = question;
  const info = first(question);
  const { axis } = info.place;
  const [begin, size] = [ints(node.attrs, 'begin'), ints(node.attrs, 'size')];
  const frames = (one: number): number[] => size.map((n, i) => (i === axis && n !== -1 ? one : n));
  const starts = begin.map((n, i) => (i === axis ? 0 : n));
  const isWhole = shapeOf(graph, node.inputs[0]!)[axis] === outOf(question)[axis];
  if (isWhole)
    return passed(question, info, info.place, (build) => {
      const dim = withFrames(outOf(question), info.place, build.frames(info.stride))[axis]!;
      return build.copy(node, { attrs: { begin: starts, size: frames(typeof dim === 'number' ? dim : -1) } });
    });
  return cut(question, begin[axis]!, 1, (build, taken, n) =>
    build.copy(node, { inputs: [taken], attrs: { begin: starts, size: frames(n) } }),
  );
};

export const stridedPast: StreamRule = (question) => {
  const { node } = question;
  const { axis } = first(question).place;
  const [begin, end, strides] = ['begin', 'end', 'strides'].map((name) => ints(node.attrs, name)) as [
    readonly number[],
    readonly number[],
    readonly number[],
  ];
  const step = strides[axis]!;
  if (step < 0) return refuse(node, 'looks ahead: it turns time round');
  return cut(question, begin[axis]!, step, (build, taken, n) => {
    const at = (values: readonly number[], one: number): number[] => values.map((v, i) => (i === axis ? one : v));
    return build.copy(node, {
      inputs: [taken],
      attrs: { begin: at(begin, 0), end: at(end, (n - 1) * step + 1), strides },
    });
  });
};

/** A frame by its number, as `sequence[-1]` takes it. */
export const framePast: StreamRule = (question) => {
  const { node, graph } = question;
  const info = withStillRest(question);
  const index = graph.constants.get(node.inputs[1]!);
  if (int(node.attrs, 'axis') !== info.place.axis || index?.data.length !== 1 || !isAxis(info.place))
    return refuse(node, 'chooses frames');
  const wanted = Number(index.data[0]);
  const frame = wanted < 0 ? wanted + info.size : wanted;
  const reach: Reach = { value: node.inputs[0]!, frames: () => 1, lag: info.size - 1 - frame };
  return {
    infos: ['window'],
    reaches: [reach],
    emit: (build) => {
      const taken = build.take(node, reach.value, 1, reach.lag);
      const zero = build.builder.constant(index.type, index.data.slice().fill(0 as never));
      return build.copy(node, { inputs: [taken, zero] });
    },
    ...(info.isPadded && { isUnlikeWindow: true }),
  };
};

export const paddedPast: StreamRule = (question) => {
  const { node } = question;
  const info = first(question);
  const paddings = ints(node.attrs, 'paddings');
  const { axis } = info.place;
  const [before, after] = [paddings[2 * axis]!, paddings[2 * axis + 1]!];
  if (before + after === 0) return passed(question, info, info.place);
  if (!isAxis(info.place) || before < 0 || after < 0 || node.attrs.constantValue !== 0)
    return refuse(node, 'puts other values than zeros before or behind the frames');
  if (before > 0) expectFromStart(node, info, question.window);
  const others = paddings.map((n, i) => (i >> 1 === axis ? 0 : n));
  const ahead = info.ahead + after;
  const result: Frames = {
    ...info,
    size: info.size + before + after,
    ahead,
    isPadded: info.isPadded || before > 0,
    by: ahead > 0 ? (info.by ?? layerOf(node)) : undefined,
  };
  return {
    infos: [result],
    emit: (build) =>
      others.every((n) => n === 0)
        ? [build.name(node.inputs[0]!)]
        : build.copy(node, { attrs: { ...node.attrs, paddings: others } }),
    isUnlikeWindow: true,
  };
};
