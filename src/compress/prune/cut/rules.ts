import { elementwise } from '../../../graph/ops/elementwise.ts';
import { reduce } from '../../../graph/ops/reduce.ts';
import type { Attrs } from '../../../graph/types.ts';
import type { AxisLabels, Labels } from './channels.ts';
import type { ChannelRule, RuleInput } from './rule.ts';
import { fixed, reshaped } from './reshape.ts';
import { parts, sliceLabels, stridedSlice } from './slices.ts';

const ints = (attrs: Attrs, name: string): readonly number[] => attrs[name] as readonly number[];

/** Axes are aligned at the end; one of size 1 is repeated. */
const broadcasting: ChannelRule = ({ channels, labels, shapes, output, reason }) =>
  output.map((size, i) => {
    const found = labels.flatMap((axes, k): AxisLabels[] => {
      const axis = i - (output.length - axes.length);
      if (axis < 0) return [];
      if (shapes[k]![axis] === size) return [axes[axis]!];
      channels.keep(axes[axis]!, reason);
      return [];
    });
    return found.reduce((a, b) => channels.join(a, b, reason));
  });

const same: ChannelRule = ({ labels: [x] }) => x!;

/** Height and width of what a window moves over: a place less would bring its neighbours together, also where a layer before made the places. */
const keepPlaces = ({ channels, labels: [x], reason }: Pick<RuleInput, 'channels' | 'labels' | 'reason'>): void => {
  for (const axis of [1, 2]) channels.keep(x![axis]!, reason);
};

const window: ChannelRule = (input) => {
  keepPlaces(input);
  return input.labels[0]!.map((axis, i) => (i === 3 ? axis : null));
};

const convolution: ChannelRule = (input) => {
  const { channels, reason } = input;
  const [x, filter] = input.labels;
  keepPlaces(input);
  channels.mark(filter![2]!, 'in');
  channels.mark(filter![3]!, 'out');
  channels.join(x![3]!, filter![2]!, reason);
  return [x![0]!, null, null, filter![3]!];
};

const depthwise: ChannelRule = (input) => {
  const { channels, shapes, reason } = input;
  const [x, filter] = input.labels;
  keepPlaces(input);
  const multiplier = shapes[1]![3]!;
  channels.mark(filter![2]!, 'depthwise');
  channels.join(x![3]!, filter![2]!, reason);
  // Filters that are computed in a way that is not followed have no labels.
  const out = filter![2]?.flatMap((label) => Array.from({ length: multiplier }, () => label)) ?? null;
  return [x![0]!, null, null, out];
};

/** A transposed convolution: its filter is [height, width, out, in]. */
const transposedConvolution: ChannelRule = (input) => {
  const { channels, reason } = input;
  const [x, filter] = input.labels;
  keepPlaces(input);
  channels.mark(filter![3]!, 'in');
  channels.mark(filter![2]!, 'out');
  channels.join(x![3]!, filter![3]!, reason);
  return [x![0]!, null, null, filter![2]!];
};

const matrixProduct: ChannelRule = ({
  channels,
  labels: [a, b],
  shapes,
  output,
  attrs,
  stored,
  zeros,
  heads,
  reason,
}) => {
  const split = (labels: Labels, transposed: boolean): [AxisLabels, AxisLabels] => {
    const [rows, columns] = [labels.at(-2)!, labels.at(-1)!];
    return transposed ? [columns, rows] : [rows, columns];
  };
  const [rows, innerA] = split(a!, attrs['transposeA'] === true);
  const [innerB, columns] = split(b!, attrs['transposeB'] === true);
  if (stored[1] === true) {
    channels.mark(innerB, 'in');
    channels.mark(columns, 'out');
  }
  if (stored[0] === true) {
    channels.mark(innerA, 'in');
    channels.mark(rows, 'out');
  }
  channels.join(innerA, innerB, reason);
  // The sum misses a product of two factors that are not 0, as in linear attention.
  if (innerA !== null && innerB !== null)
    channels.keep(
      innerA.filter((label, i) => !zeros[0]!.has(label) && !zeros[1]!.has(innerB[i]!)),
      reason,
    );
  const leading = broadcasting({
    channels,
    labels: [a!.slice(0, -2), b!.slice(0, -2)],
    shapes: shapes.map((shape) => shape.slice(0, -2)),
    output: output.slice(0, -2),
    attrs,
    stored,
    zeros,
    heads,
    reason,
  });
  return [...leading, rows, columns];
};

const batchNorm: ChannelRule = ({ channels, labels: [x, ...vectors], reason }) => {
  const [, , offset, scale] = vectors.map((vector) => vector[0] ?? null);
  channels.mark(scale ?? null, 'scale');
  channels.mark(offset ?? null, 'offset');
  if (channels.roleOf(x!.at(-1) ?? null) === 'out') for (const gate of [scale, offset]) channels.markGate(gate ?? null);
  const last = vectors.reduce<AxisLabels>(
    (joined, vector) => channels.join(joined, vector[0] ?? null, reason),
    x!.at(-1) ?? null,
  );
  return [...x!.slice(0, -1), last];
};

/** A sum over channels does not notice one that is zero; a mean or a maximum does. */
const reduction =
  (isSum: boolean): ChannelRule =>
  ({ channels, labels: [x], attrs, zeros, reason }) => {
    const axes = ints(attrs, 'axes');
    for (const axis of axes)
      channels.keep(isSum ? (x![axis]?.filter((label) => !zeros[0]!.has(label)) ?? null) : x![axis]!, reason);
    return attrs['keepDims'] === true
      ? x!.map((labels, axis) => (axes.includes(axis) ? null : labels))
      : x!.filter((_, axis) => !axes.includes(axis));
  };

const alongAxis: ChannelRule = ({ channels, labels: [x], attrs, reason }) => {
  channels.keep(x![attrs['axis'] as number]!, reason);
  return x!;
};

const concatenation: ChannelRule = ({ channels, labels, shapes, output, attrs, reason }) => {
  const along = attrs['axis'] as number;
  return output.map((_, axis): AxisLabels => {
    const parts = labels.map((labelled): AxisLabels => labelled[axis]!);
    if (axis !== along) return parts.reduce((a, b) => channels.join(a, b, reason));
    if (parts.every((part) => part === null)) return null;
    return parts.flatMap((part, i) => part ?? fixed(channels, shapes[i]![axis]!, reason));
  });
};

/** `paddings`: before and after each axis. Zeros beside channels, as in a shortcut without weights, stay. */
const padding: ChannelRule = ({ channels, labels: [x], attrs, reason }) => {
  const pads = ints(attrs, 'paddings');
  return x!.map((labels, axis) => {
    const [before, after] = [pads[2 * axis]!, pads[2 * axis + 1]!];
    if (labels === null || before + after === 0) return labels;
    return [...fixed(channels, before, reason), ...labels, ...fixed(channels, after, reason)];
  });
};

/** Rows of a table of embeddings: all of them stay, as whoever asks may ask for any. */
const gather: ChannelRule = ({ channels, labels: [x, indices], attrs, reason }) => {
  const axis = attrs['axis'] as number;
  channels.keep(x![axis]!, reason);
  for (const labels of indices!) channels.keep(labels, reason);
  const batched = attrs['batchDims'] as number;
  if (batched > 0) for (const labels of x!) channels.keep(labels, reason);
  const between = indices!.slice(batched).map((): AxisLabels => null);
  const around = (labels: Labels): Labels => (batched > 0 ? labels.map(() => null) : labels);
  return [...around(x!.slice(0, axis)), ...between, ...around(x!.slice(axis + 1))];
};

const REDUCTIONS = ['Sum', 'Mean', 'Max', 'Min', 'Prod'].filter((name) => Object.hasOwn(reduce, name));

/** Rules of ops with several results, by op: the labels of each result. */
export const manyRules: Readonly<Record<string, (input: RuleInput) => readonly Labels[]>> = { Split: parts };

/** Rules by op. An op that is in neither table keeps all channels that reach it. */
export const channelRules: Readonly<Record<string, ChannelRule>> = {
  ...Object.fromEntries(Object.keys(elementwise).map((name) => [name, broadcasting])),
  ...Object.fromEntries(REDUCTIONS.map((name) => [name, reduction(name === 'Sum')])),
  Identity: same,
  Conv2D: convolution,
  DepthwiseConv2dNative: depthwise,
  Conv2DBackpropInput: transposedConvolution,
  BatchMatMul: matrixProduct,
  FusedBatchNorm: batchNorm,
  MaxPool: window,
  AvgPool: window,
  ResizeBilinear: window,
  ResizeNearestNeighbor: window,
  Softmax: alongAxis,
  LogSoftmax: alongAxis,
  Reshape: ({ channels, labels: [x], shapes: [from], output, heads, reason }) =>
    reshaped(channels, x!, from!, output, { heads, reason }),
  Transpose: ({ labels: [x], attrs }) => ints(attrs, 'perm').map((axis) => x![axis]!),
  Concat: concatenation,
  Slice: sliceLabels,
  StridedSlice: stridedSlice,
  GatherV2: gather,
  Pad: padding,
  BroadcastTo: ({ channels, labels: [x], shapes: [from], output }) =>
    output.map((size, i) => {
      const axis = i - (output.length - from!.length);
      return axis >= 0 && from![axis] === size ? x![axis]! : channels.fresh(size);
    }),
};
