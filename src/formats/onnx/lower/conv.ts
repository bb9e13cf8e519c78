import { windowed } from '../../../graph/ops/linear.ts';
import { ints } from '../../../graph/ops/spec.ts';
import type { Dim } from '../../../graph/types.ts';
import { channelsBehind, missingChannels } from '../channels.ts';
import type { Lowering, Rule } from './context.ts';
import { defineBiased } from './fuse.ts';
import { CNHW, NCHW, OIHW } from './layout.ts';
import type { Window } from './window.ts';
import { onnxPads, outputPadding, spatial, windowOf } from './window.ts';

export const conv2d: Rule = (node, c) => {
  const [x, filter] = node.inputs as [string, string];
  const { strides, dilations, pads } = windowOf(node.attrs);
  const [height, width, channels, filters] = c.shapeOf(filter) as [number, number, number, number];
  const attrs = { kernel_shape: [height, width], strides, dilations, pads: onnxPads(pads) };
  defineBiased(c, node, NCHW, (bias) =>
    c.one('Conv', [...withChannels(c, [c.as(x, NCHW), c.as(filter, OIHW)], channels, filters), ...bias], attrs),
  );
};

/** Input and filter of a convolution, with zero channels if the provider needs them for a correct result. */
function withChannels(c: Lowering, operands: readonly string[], channels: Dim, filters: Dim): readonly string[] {
  if (c.options.anyChannels || typeof channels !== 'number' || typeof filters !== 'number') return operands;
  const count = missingChannels(channels, filters);
  if (count === 0) return operands;
  return operands.map((name) => c.one('Pad', [name, c.ints(channelsBehind(4, count))], { mode: 'constant' }));
}

export const conv2dBackpropInput: Rule = (node, c) => {
  const [dy, filter] = node.inputs as [string, string];
  const window = windowOf(node.attrs);
  const size = c.shapeOf(filter).slice(0, 2) as [number, number];
  const out = node.outputs[0]!;
  const large = spatial(c.shapeOf(out));
  const { tensor, small } = cropped(c, dy, large, size, window);
  const result = transposedConv(c, tensor, c.as(filter, OIHW), large, small, size, window, 1);
  c.define(out, result, NCHW);
};

/** tfjs reads only the part of dy that a convolution of `large` would have given, whatever its size. */
function cropped(
  c: Lowering,
  dy: string,
  large: readonly [number, number],
  size: readonly [number, number],
  { strides, dilations, pads }: Window,
): { tensor: string; small: [number, number] } {
  const gradientSize = spatial(c.shapeOf(dy));
  const wanted = [0, 1].map((i) =>
    windowed(large[i]!, size[i]!, strides[i]!, dilations[i]!, pads[2 * i]!, pads[2 * i + 1]!),
  );
  const small = gradientSize.map((n, i) => Math.min(n, wanted[i]!)) as [number, number];
  const tensor = c.as(dy, NCHW);
  if (small[0] === gradientSize[0] && small[1] === gradientSize[1]) return { tensor, small };
  return { tensor: c.one('Slice', [tensor, c.ints([0, 0]), c.ints(small), c.ints([2, 3])]), small };
}

/** ConvTranspose with output size `large`. */
export function transposedConv(
  c: Lowering,
  dy: string,
  filter: string,
  large: readonly [number, number],
  small: readonly [number, number],
  size: readonly [number, number],
  window: Window,
  group: number,
): string {
  const { strides, dilations, pads } = window;
  const rest = outputPadding(large, small, size, window);
  // ONNX Runtime refuses an output_padding as large as stride and dilation; further zeros are padded.
  const allowed = rest.map((amount, i) => Math.max(0, Math.min(amount, Math.max(strides[i]!, dilations[i]!) - 1)));
  const beyond = rest.map((amount, i) => amount - allowed[i]!);
  const attrs = {
    kernel_shape: [...size],
    strides,
    dilations,
    pads: onnxPads(pads),
    group,
    ...(allowed.some((amount) => amount > 0) ? { output_padding: allowed } : {}),
  };
  const result = c.one('ConvTranspose', [dy, filter], attrs);
  if (beyond.every((amount) => amount === 0)) return result;
  const [bottom, right] = beyond as [number, number];
  return c.one('Pad', [result, c.ints([0, 0, 0, 0, 0, 0, bottom, right])], { mode: 'constant' });
}

/**
 * The filter's gradient is a convolution of the input with the output's gradient as filter: batch and channels are swapped, and so are strides and
 * dilations.
 */
export const conv2dBackpropFilter: Rule = (node, c) => {
  const [x, dy] = node.inputs as [string, string];
  const window = windowOf(node.attrs);
  const out = node.outputs[0]!;
  const [large, small] = [spatial(c.shapeOf(x)), spatial(c.shapeOf(dy))];
  const [height, width, channels, filters] = ints(node.attrs, 'filterShape') as [number, number, number, number];
  // Samples take the place of channels.
  const operands = withChannels(c, [c.as(x, CNHW), c.as(dy, CNHW)], c.shapeOf(x)[0]!, filters) as [string, string];
  const gradient = correlate(c, ...operands, large, small, [height, width], window, 1);
  // Converted to the plain layout at once: filters are small, and their update needs it.
  c.define(out, c.transpose(gradient, [channels, filters, height, width], [2, 3, 0, 1]));
};

/** Convolution of `x` with the kernel `dy`, cropped to the filter's size: with strides, windows that do not fit leave more. */
export function correlate(
  c: Lowering,
  x: string,
  dy: string,
  large: readonly [number, number],
  small: readonly [number, number],
  size: readonly [number, number],
  { strides, dilations, pads }: Window,
  group: number,
): string {
  const attrs = { kernel_shape: [...small], strides: dilations, dilations: strides, pads: onnxPads(pads), group };
  const result = c.one('Conv', [x, dy], attrs);
  const sizes = [0, 1].map((i) => {
    const reach = (small[i]! - 1) * strides[i]! + 1;
    return Math.floor((large[i]! + pads[2 * i]! + pads[2 * i + 1]! - reach) / dilations[i]!) + 1;
  });
  if (sizes[0] === size[0] && sizes[1] === size[1]) return result;
  return c.one('Slice', [result, c.ints([0, 0]), c.ints(size), c.ints([2, 3])]);
}
