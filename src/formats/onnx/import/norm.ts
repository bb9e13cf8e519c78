import { batchTimes, sizeOf } from '../../../graph/shapes.ts';
import type { Dim, Shape } from '../../../graph/types.ts';
import { attr, axisOf, expectInt, floatAttr, ignore, intAttr } from './attrs.ts';
import type { Importer } from './context.ts';
import { rowOf } from './linear.ts';

/** How many elements some axes have together. */
export function side(dims: Shape): Dim {
  const { factor, power } = sizeOf(dims);
  return power === 0 ? factor : batchTimes(factor);
}

const softmax =
  (op: string): Importer =>
  (node, c) => {
    const [x] = node.inputs as [string];
    const shape = c.shapeOf(x);
    const rank = shape.length;
    const axis = axisOf(intAttr(node, c, 'axis', c.opset >= 13 ? -1 : 1), rank, c);
    const output = node.outputs[0]!;
    if (axis === rank - 1) c.define(output, { plain: c.op(op, [c.plain(x)], { axis }) });
    else if (c.opset < 13) {
      // All axes from this one on were one.
      const rows = c.op('Reshape', [c.plain(x)], { shape: [side(shape.slice(0, axis)), side(shape.slice(axis))] });
      c.define(output, { plain: c.op('Reshape', [c.op(op, [rows], { axis: 1 })], { shape }) });
    } else if (rank === 4 && axis === 1) c.defineNhwc(output, c.op(op, [c.nhwc(x)], { axis: 3 }));
    else {
      const perm = shape.map((_, i) => (i === axis ? rank - 1 : i === rank - 1 ? axis : i));
      const moved = c.op('Transpose', [c.plain(x)], { perm });
      c.define(output, { plain: c.op('Transpose', [c.op(op, [moved], { axis: rank - 1 })], { perm }) });
    }
  };

/** https://onnx.ai/onnx/operators/onnx__LayerNormalization.html */
const layerNorm: Importer = (node, c) => {
  const [x, scale, bias = ''] = node.inputs as [string, string, string?];
  const rank = c.shapeOf(x).length;
  const axis = axisOf(intAttr(node, c, 'axis', -1), rank, c);
  // 1 is float32.
  expectInt(node, c, 'stash_type', 1);
  const over = { axes: Array.from({ length: rank - axis }, (_, i) => axis + i), keepDims: true };
  const value = c.plain(x);
  const centred = c.op('Sub', [value, c.op('Mean', [value], over)]);
  const variance = c.op('Mean', [c.op('Square', [centred])], over);
  const epsilon = c.constant(Float32Array.of(floatAttr(node, c, 'epsilon', 1e-5)), []);
  let y = c.op('Multiply', [centred, c.op('Rsqrt', [c.op('Add', [variance, epsilon])])]);
  y = c.op('Multiply', [y, c.plain(scale)]);
  c.define(node.outputs[0]!, { plain: bias === '' ? y : c.op('Add', [y, c.plain(bias)]) });
};

const batchNorm: Importer = (node, c) => {
  const [x, scale, offset, mean, variance] = node.inputs as [string, string, string, string, string];
  const hint = 'Export the model in evaluation mode.';
  if (intAttr(node, c, 'training_mode', 0) === 1) c.fail('it is in training mode', hint);
  // Before operator set 7 this said so; before 14 the outputs beside the first did.
  const isTest = Number(attr(node, c, 'is_test', 'int') ?? 1) !== 0;
  if (!isTest || (c.opset < 14 && node.outputs.slice(1).some((name) => name !== '')))
    c.fail('it is in training mode: it gives the statistics of the batch too', hint);
  if (c.opset < 9) expectInt(node, c, 'spatial', 1);
  ignore(node, 'momentum');
  const rank = c.shapeOf(x).length;
  if (rank !== 4 && rank !== 2) c.fail(`of a tensor with ${rank} axes; expected [n, c] or [n, c, h, w]`);
  const operands = [mean, variance, offset, scale].map((name) => rowOf(c, name, 'statistics'));
  const value = rank === 4 ? c.nhwc(x) : c.plain(x);
  const y = c.op('FusedBatchNorm', [value, ...operands], { epsilon: floatAttr(node, c, 'epsilon', 1e-5) });
  c.define(node.outputs[0]!, rank === 4 ? { nhwc: y } : { plain: y });
};

export const normImporters: Readonly<Record<string, Importer>> = {
  Softmax: softmax('Softmax'),
  LogSoftmax: softmax('LogSoftmax'),
  LayerNormalization: layerNorm,
  BatchNormalization: batchNorm,
};
