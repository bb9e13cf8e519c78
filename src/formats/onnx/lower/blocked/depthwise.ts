import { onnxPads, windowOf } from '../window.ts';
import type { Blocked, BlockedRule } from './context.ts';
import { biased } from './conv.ts';
import { filterTaskOf } from './conv-filter.ts';
import { define, epilogueInputs, epilogueOf } from './epilogue.ts';
import { defineShifted } from './shift.ts';
import { depthwiseFilter } from './filters.ts';

/** One filter for each channel; more than one of them per channel is left to the plain lowering. */
export const depthwise: BlockedRule = (node, b) => {
  const [x, filter] = node.inputs as [string, string];
  const [height, width, channels, multiplier] = b.c.shapeOf(filter) as [number, number, number, number];
  if (multiplier !== 1 || b.sizesOf(x) === undefined || b.sizesOf(node.outputs[0]!) === undefined) return false;
  const epilogue = epilogueOf(b, node.outputs[0]!);
  const { strides, dilations, pads } = windowOf(node.attrs);
  const group = b.filled(channels);
  const shifted = defineShifted(b, epilogue, {
    input: b.get(x)!,
    blocked: true,
    sizes: b.sizesOf(x)!,
    filter: () => depthwiseFilter(b, filter),
    products: height * width,
    kernel: [height, width],
    strides,
    dilations,
    pads: onnxPads(pads),
    attrs: { group },
  });
  if (shifted) return true;
  // In memory a depthwise filter is [blocks, taps, size]: the scale of a batch norm goes along its first and last axis.
  const blocks = group / b.size;
  const lying = b.reshape(depthwiseFilter(b, filter), [blocks, height * width, b.size]);
  const { filter: scaled, bias } = biased(b, lying, epilogue, [blocks, 1, b.size]);
  const weights = b.reshape(scaled, [group, 1, height, width]);
  const { inputs, attrs } = epilogueInputs(b, epilogue, bias);
  const window = { kernel_shape: [height, width], strides, dilations, pads: onnxPads(pads), group, ...attrs };
  define(b, epilogue, b.nchwc('Conv', [b.get(x)!, weights, ...inputs], window));
  return true;
};

/**
 * Every channel of every sample is a group of its own: x is its image and dy its kernel, both as they lie. What comes out is
 * summed over the samples.
 */
export const depthwiseBackpropFilter: BlockedRule = (node, b) => {
  const task = filterTaskOf(node, b);
  const multiplier = b.c.shapeOf(node.outputs[0]!)[3];
  if (task === undefined || multiplier !== 1 || b.sizesOf(task.x) === undefined) return false;
  const { large, small, size, strides, before, after, out } = task;
  const [n, , , channels] = large;
  const filled = b.filled(channels);
  const group = n * filled;
  const image = b.reshape(b.get(task.x)!, [1, group, large[1], large[2]]);
  const kernel = b.reshape(b.unscaled(task.dy)!, [group, 1, small[1], small[2]]);
  const pads = [before[0], before[1], after[0], after[1]];
  const attrs = { kernel_shape: [small[1], small[2]], dilations: strides, pads, group };
  const products = b.nchwc('Conv', [image, kernel], attrs);
  const each = b.reshape(products, [n, filled / b.size, out[0] * out[1], b.size]);
  const sum = b.c.one('ReduceSum', [each, b.c.ints([0])], { keepdims: 0 });
  const lying = filled === b.size ? sum : b.c.one('Transpose', [sum], { perm: [1, 0, 2] });
  const result = cut(b, b.reshape(lying, [...out, filled, 1]), out, size, channels);
  const factor = b.factorOf(task.dy);
  const scaled = (by: string): string => b.c.one('Mul', [result, b.reshape(b.cutVector(by, channels), [channels, 1])]);
  b.c.define(node.outputs[0]!, factor === undefined ? result : scaled(factor));
  return true;
};

function cut(
  b: Blocked,
  tensor: string,
  out: readonly [number, number],
  size: readonly [number, number],
  channels: number,
): string {
  if (out.join() === size.join() && b.filled(channels) === channels) return tensor;
  return b.c.one('Slice', [tensor, b.c.ints([0, 0, 0]), b.c.ints([...size, channels]), b.c.ints([0, 1, 2])]);
}
