import type { Attrs } from '../../../graph/types.ts';
import type { OnnxNode } from '../model.ts';
import type { Import, Importer } from './context.ts';
import { attr, floatAttr, intAttr } from './context.ts';

/** On the operand as it lies. */
const unary =
  (op: string, attrs: (node: OnnxNode, c: Import) => Attrs = () => ({})): Importer =>
  (node, c) => {
    const [x] = node.inputs as [string];
    const given = attrs(node, c);
    const last = c.liesChannelsLast(x);
    const y = c.op(op, [last ? c.nhwc(x) : c.plain(x)], given);
    c.define(node.outputs[0]!, last ? { nhwc: y } : { plain: y });
  };

const same: Importer = (node, c) => {
  const [x] = node.inputs as [string];
  const sizes = c.sizesOf(x);
  if (sizes !== undefined) c.defineSizes(node.outputs[0]!, sizes);
  else c.define(node.outputs[0]!, c.liesChannelsLast(x) ? { nhwc: c.nhwc(x) } : { plain: c.plain(x) });
};

/** Channels last where an operand lies so and the others are [n, c, h, w] or stored. */
function combine(c: Import, op: string, names: readonly string[], output: string): void {
  const last =
    names.some((name) => c.liesChannelsLast(name)) &&
    names.every((name) => c.stored(name) !== undefined || c.shapeOf(name).length === 4);
  const values = names.map((name) => (last ? c.alignedNhwc(name) : c.plain(name)));
  const y = values.slice(1).reduce((a, b) => c.op(op, [a, b]), values[0]!);
  c.define(output, last ? { nhwc: y } : { plain: y });
}

const binary =
  (op: string): Importer =>
  (node, c) =>
    combine(c, op, node.inputs, node.outputs[0]!);

const clip: Importer = (node, c) => {
  const bound = (name: 'min' | 'max', position: number, otherwise: number): number => {
    const input = node.inputs[position] ?? '';
    if (input !== '') return c.ints(input, name)[0]!;
    return floatAttr(node, name, otherwise);
  };
  const [low, high] = [bound('min', 1, -Infinity), bound('max', 2, Infinity)];
  if (low === 0 && high === 6) unary('Relu6')(node, c);
  else if (low === 0 && high === Infinity) unary('Relu')(node, c);
  else unary('ClipByValue', () => ({ clipValueMin: low, clipValueMax: high }))(node, c);
};

const prelu: Importer = (node, c) => combine(c, 'Prelu', node.inputs, node.outputs[0]!);

const softmax =
  (op: string): Importer =>
  (node, c) => {
    const [x] = node.inputs as [string];
    const rank = c.shapeOf(x).length;
    const given = intAttr(node, 'axis', c.opset >= 13 ? -1 : 1);
    const axis = given < 0 ? given + rank : given;
    // Before operator set 13 all axes from this one on were one.
    if (axis !== rank - 1) c.fail(`over axis ${given} of ${rank}; expected the last axis`);
    c.define(node.outputs[0]!, { plain: c.op(op, [c.plain(x)], { axis }) });
  };

/** https://onnx.ai/onnx/operators/onnx__LayerNormalization.html over the last axis. */
const layerNorm: Importer = (node, c) => {
  const [x, scale, bias = ''] = node.inputs as [string, string, string?];
  const rank = c.shapeOf(x).length;
  const axis = intAttr(node, 'axis', -1);
  if (axis !== -1 && axis !== rank - 1) c.fail(`over the axes from ${axis} on; expected the last axis`);
  if (node.outputs.length > 1) c.fail('it gives mean and deviation too');
  const over = { axes: [rank - 1], keepDims: true };
  const value = c.plain(x);
  const centred = c.op('Sub', [value, c.op('Mean', [value], over)]);
  const variance = c.op('Mean', [c.op('Square', [centred])], over);
  const epsilon = c.constant(Float32Array.of(floatAttr(node, 'epsilon', 1e-5)), []);
  let y = c.op('Multiply', [centred, c.op('Rsqrt', [c.op('Add', [variance, epsilon])])]);
  y = c.op('Multiply', [y, c.plain(scale)]);
  c.define(node.outputs[0]!, { plain: bias === '' ? y : c.op('Add', [y, c.plain(bias)]) });
};

const elu: Importer = (node, c) => {
  const alpha = floatAttr(node, 'alpha', 1);
  if (alpha !== 1) c.fail(`alpha ${alpha}; expected 1`);
  unary('Elu')(node, c);
};

const cast: Importer = (node, c) => {
  const to = intAttr(node, 'to', 1);
  if (c.sizesOf(node.inputs[0]!) === undefined && to !== 1) c.fail('to another type than float32');
  same(node, c);
};

export const elementwiseImporters: Readonly<Record<string, Importer>> = {
  ...Object.fromEntries(
    [
      'Relu',
      'Sigmoid',
      'Tanh',
      'Softplus',
      'Exp',
      'Log',
      'Sqrt',
      'Abs',
      'Neg',
      'Reciprocal',
      'Erf',
      'Floor',
      'Ceil',
      'Selu',
      'HardSwish',
    ].map((op) => [op, unary(op)]),
  ),
  LeakyRelu: unary('LeakyRelu', (node) => ({ alpha: floatAttr(node, 'alpha', 0.01) })),
  HardSigmoid: unary('HardSigmoid', (node) => ({
    alpha: floatAttr(node, 'alpha', 0.2),
    beta: floatAttr(node, 'beta', 0.5),
  })),
  Gelu: unary('Gelu', (node) => ({ approximate: attr(node, 'approximate') === 'tanh' })),
  Elu: elu,
  Clip: clip,
  PRelu: prelu,
  Add: binary('Add'),
  Sum: binary('Add'),
  Sub: binary('Sub'),
  Mul: binary('Multiply'),
  Div: binary('RealDiv'),
  Pow: binary('Pow'),
  Max: binary('Maximum'),
  Min: binary('Minimum'),
  Identity: same,
  Dropout: same,
  Cast: cast,
  Softmax: softmax('Softmax'),
  LogSoftmax: softmax('LogSoftmax'),
  LayerNormalization: layerNorm,
};
