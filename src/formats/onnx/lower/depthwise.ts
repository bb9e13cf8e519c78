import { ints } from '../../../graph/ops/spec.ts';
import type { Lowering, Rule } from './context.ts';
import { correlate, transposedConv } from './conv.ts';
import { defineBiased } from './fuse.ts';
import { CNHW, IOHW, NCHW, transposeData } from './layout.ts';
import { onnxPads, spatial, windowOf } from './window.ts';

/** [height, width, in, multiplier] as ONNX' grouped filter [in · multiplier, 1, height, width]. */
function groupedFilter(c: Lowering, filter: string): string {
  const [height, width, channels, multiplier] = c.shapeOf(filter) as [number, number, number, number];
  if (multiplier === 1) return c.as(filter, IOHW);
  const key = `grouped ${filter}`;
  const constant = c.graph.constants.get(filter);
  if (constant !== undefined) {
    const data = transposeData(constant.data, [height, width, channels, multiplier], IOHW);
    return c.once(key, () =>
      c.initializer(constant.type.dtype, [channels * multiplier, 1, height, width], data, filter),
    );
  }
  return c.once(key, () =>
    c.reshape(c.as(filter, IOHW), [channels, multiplier, height, width], [channels * multiplier, 1, height, width]),
  );
}

export const depthwise: Rule = (node, c) => {
  const [x, filter] = node.inputs as [string, string];
  const { strides, dilations, pads } = windowOf(node.attrs);
  const [height, width, group] = c.shapeOf(filter) as [number, number, number];
  const attrs = { kernel_shape: [height, width], strides, dilations, pads: onnxPads(pads), group };
  const weights = groupedFilter(c, filter);
  defineBiased(c, node, NCHW, (bias) => c.one('Conv', [c.as(x, NCHW), weights, ...bias], attrs));
};

export const depthwiseBackpropInput: Rule = (node, c) => {
  const [dy, filter] = node.inputs as [string, string];
  const [height, width, group] = c.shapeOf(filter) as [number, number, number];
  const out = node.outputs[0]!;
  const [large, small] = [spatial(c.shapeOf(out)), spatial(c.shapeOf(dy))];
  const weights = groupedFilter(c, filter);
  const window = windowOf(node.attrs);
  c.define(out, transposedConv(c, c.as(dy, NCHW), weights, large, small, [height, width], window, group), NCHW);
};

/** Gradient of a depthwise filter: like a full convolution's with a group for each input channel, whose "channels" are the samples. */
export const depthwiseBackpropFilter: Rule = (node, c) => {
  const [x, dy] = node.inputs as [string, string];
  const [height, width, group, multiplier] = ints(node.attrs, 'filterShape') as [number, number, number, number];
  const [large, small] = [spatial(c.shapeOf(x)), spatial(c.shapeOf(dy))];
  const [batch] = c.shapeOf(x);
  const samples = c.once(`samples as channels ${x}`, () => {
    if (typeof batch === 'number')
      return c.reshape(c.as(x, CNHW), [group, batch, ...large], [1, group * batch, ...large]);
    return c.one('Reshape', [c.as(x, CNHW), c.ints([1, -1, ...large])]);
  });
  const gradient = correlate(c, samples, c.as(dy, CNHW), large, small, [height, width], windowOf(node.attrs), group);
  const lying = [group, multiplier, height, width];
  const split = c.reshape(gradient, [1, group * multiplier, height, width], lying);
  c.define(node.outputs[0]!, c.transpose(split, lying, [2, 3, 0, 1]));
};
