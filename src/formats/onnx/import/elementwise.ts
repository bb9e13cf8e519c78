import type { Attrs } from '../../../graph/types.ts';
import type { OnnxNode } from '../model.ts';
import { attr, axisOf, floatAttr, intAttr } from './attrs.ts';
import type { Import, Importer } from './context.ts';

/** On the operand as it lies. */
export const unary =
  (op: string, attrs: (node: OnnxNode, c: Import) => Attrs = () => ({})): Importer =>
  (node, c) => {
    const given = attrs(node, c);
    onOne(node, c, (x) => c.op(op, [x], given));
  };

/** What `compute` makes of the first input, which keeps its shape and may lie with its channels last. */
export function onOne(node: OnnxNode, c: Import, compute: (x: string) => string): void {
  const [x] = node.inputs as [string];
  const last = c.liesChannelsLast(x);
  const y = compute(last ? c.nhwc(x) : c.plain(x));
  c.define(node.outputs[0]!, last ? { nhwc: y } : { plain: y });
}

/** Channels last where an operand lies so and the others are [n, c, h, w] or stored. */
function combine(c: Import, op: string, names: readonly string[], output: string): void {
  const fits = (name: string): boolean => {
    const rank = c.shapeOf(name).length;
    return rank === 4 || (rank < 4 && c.stored(name)?.type.dtype === 'float32');
  };
  const last = names.some((name) => c.liesChannelsLast(name)) && names.every(fits);
  const values = names.map((name) => (last ? c.alignedNhwc(name) : c.plain(name)));
  const y = values.slice(1).reduce((a, b) => c.op(op, [a, b]), values[0]!);
  c.define(output, last ? { nhwc: y } : { plain: y });
}

const several =
  (op: string): Importer =>
  (node, c) =>
    combine(c, op, node.inputs, node.outputs[0]!);

/** Before operator set 7 an operand was broadcast only on demand, and could start at an axis. */
const binary =
  (op: string): Importer =>
  (node, c) => {
    const [a, b] = node.inputs as [string, string];
    if (c.opset < 7) {
      const isBroadcast = intAttr(node, c, 'broadcast', 0) === 1;
      const axis = attr(node, c, 'axis', 'int');
      const [whole, part] = [c.shapeOf(a).length, c.shapeOf(b).length];
      const end = isBroadcast && axis !== undefined ? axisOf(Number(axis), whole, c) + part : whole;
      if (end < whole) {
        const value = c.op('Reshape', [c.plain(b)], { shape: [...c.shapeOf(b), ...ones(whole - end)] });
        c.define(node.outputs[0]!, { plain: c.op(op, [c.plain(a), value]) });
        return;
      }
    }
    combine(c, op, [a, b], node.outputs[0]!);
  };

export function ones(count: number): number[] {
  return new Array<number>(count).fill(1);
}

/** The exponent may be of another type than what is raised. */
const pow: Importer = (node, c) => {
  const stored = c.stored(node.inputs[1]);
  if (stored === undefined || stored.type.dtype === 'float32') {
    binary('Pow')(node, c);
    return;
  }
  const [x] = node.inputs as [string];
  const exponent = c.constant(Float32Array.from(stored.data as ArrayLike<number | bigint>, Number), [
    ...(stored.type.shape as number[]),
  ]);
  c.define(node.outputs[0]!, { plain: c.op('Pow', [c.plain(x), exponent]) });
};

const clip: Importer = (node, c) => {
  const bound = (name: 'min' | 'max', position: number, otherwise: number): number => {
    if (c.opset < 11) return floatAttr(node, c, name, otherwise);
    const input = node.inputs[position] ?? '';
    return input === '' ? otherwise : c.number(input, name);
  };
  const [low, high] = [bound('min', 1, -Infinity), bound('max', 2, Infinity)];
  // Where the bounds cross, everything is the upper one.
  const attrs = { clipValueMin: Math.min(low, high), clipValueMax: high };
  if (low === 0 && high === 6) unary('Relu6')(node, c);
  else if (low === 0 && high === Infinity) unary('Relu')(node, c);
  else unary('ClipByValue', () => attrs)(node, c);
};

/** Before operator set 7 a slope of several values was one for each channel, the second axis. */
const prelu: Importer = (node, c) => {
  const [x, slope] = node.inputs as [string, string];
  const [rank, shape] = [c.shapeOf(x).length, c.shapeOf(slope)];
  if (c.opset >= 7 || shape.length !== 1 || shape[0] === 1) {
    combine(c, 'Prelu', [x, slope], node.outputs[0]!);
    return;
  }
  const value = c.op('Reshape', [c.plain(slope)], { shape: [...shape, ...ones(rank - 2)] });
  c.define(node.outputs[0]!, { plain: c.op('Prelu', [c.plain(x), value]) });
};

/** scale · (relu(x) + alpha · (exp(min(x, 0)) - 1)). */
function scaledElu(c: Import, x: string, alpha: number, scale: number): string {
  const number = (value: number): string => c.constant(Float32Array.of(value), []);
  const below = c.op('Elu', [c.op('Minimum', [x, number(0)])]);
  const y = c.op('Add', [c.op('Relu', [x]), c.op('Multiply', [below, number(alpha)])]);
  return scale === 1 ? y : c.op('Multiply', [y, number(scale)]);
}

const elu: Importer = (node, c) => {
  const alpha = floatAttr(node, c, 'alpha', 1);
  onOne(node, c, (x) => (alpha === 1 ? c.op('Elu', [x]) : scaledElu(c, x, alpha, 1)));
};

/** max(x, 0) + min(alpha · (exp(x / alpha) - 1), 0). */
const celu: Importer = (node, c) => {
  const alpha = floatAttr(node, c, 'alpha', 1);
  onOne(node, c, (x) => {
    if (alpha === 1) return c.op('Elu', [x]);
    const number = c.constant(Float32Array.of(alpha), []);
    return c.op('Multiply', [c.op('Elu', [c.op('RealDiv', [x, number])]), number]);
  });
};

/** Misra 2019: x · tanh(softplus(x)). */
const mish: Importer = (node, c) => {
  onOne(node, c, (x) => c.op('Multiply', [x, c.op('Tanh', [c.op('Softplus', [x])])]));
};

/** x · sigmoid(alpha · x). */
const swish: Importer = (node, c) => {
  const alpha = floatAttr(node, c, 'alpha', 1);
  onOne(node, c, (x) => {
    const scaled = alpha === 1 ? x : c.op('Multiply', [x, c.constant(Float32Array.of(alpha), [])]);
    return c.op('Multiply', [x, c.op('Sigmoid', [scaled])]);
  });
};

const softsign: Importer = (node, c) => {
  onOne(node, c, (x) => {
    const one = c.constant(Float32Array.of(1), []);
    return c.op('RealDiv', [x, c.op('Add', [one, c.op('Abs', [x])])]);
  });
};

/** x where x > alpha, else 0. */
const thresholdedRelu: Importer = (node, c) => {
  const alpha = floatAttr(node, c, 'alpha', 1);
  onOne(node, c, (x) => {
    const [limit, zero] = [alpha, 0].map((value) => c.constant(Float32Array.of(value), []));
    return c.op('Select', [c.op('Greater', [x, limit!]), x, zero!]);
  });
};

const mean: Importer = (node, c) => {
  if (node.inputs.length === 1) return several('Add')(node, c);
  const values = node.inputs.map((name) => c.plain(name));
  const sum = values.slice(1).reduce((a, b) => c.op('Add', [a, b]), values[0]!);
  c.define(node.outputs[0]!, { plain: c.op('RealDiv', [sum, c.constant(Float32Array.of(values.length), [])]) });
};

/** Klambauer et al. 2017; operator set 1 has them with fewer digits. */
const SELU = { alpha: 1.6732632, gamma: 1.050701 };

const selu: Importer = (node, c) => {
  const [alpha, gamma] = [
    floatAttr(node, c, 'alpha', c.opset < 6 ? 1.6732 : SELU.alpha),
    floatAttr(node, c, 'gamma', c.opset < 6 ? 1.0507 : SELU.gamma),
  ];
  const isUsual = Math.abs(alpha - SELU.alpha) < 1e-6 && Math.abs(gamma - SELU.gamma) < 1e-6;
  onOne(node, c, (x) => (isUsual ? c.op('Selu', [x]) : scaledElu(c, x, alpha, gamma)));
};

const gelu: Importer = (node, c) => {
  const approximate = attr(node, c, 'approximate', 'string') ?? 'none';
  if (approximate !== 'none' && approximate !== 'tanh')
    c.fail(`its attribute approximate is ${approximate}, expected none or tanh`);
  unary('Gelu', () => ({ approximate: approximate === 'tanh' }))(node, c);
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
      'HardSwish',
      'Sin',
      'Cos',
      'Tan',
      'Asin',
      'Acos',
      'Atan',
      'Sinh',
      'Cosh',
      'Asinh',
      'Acosh',
      'Atanh',
      'Sign',
      'Round',
    ].map((op) => [op, unary(op)]),
  ),
  LeakyRelu: unary('LeakyRelu', (node, c) => ({ alpha: floatAttr(node, c, 'alpha', 0.01) })),
  HardSigmoid: unary('HardSigmoid', (node, c) => ({
    alpha: floatAttr(node, c, 'alpha', 0.2),
    beta: floatAttr(node, c, 'beta', 0.5),
  })),
  Gelu: gelu,
  Elu: elu,
  Selu: selu,
  Celu: celu,
  Mish: mish,
  Swish: swish,
  Softsign: softsign,
  ThresholdedRelu: thresholdedRelu,
  Mean: mean,
  Clip: clip,
  PRelu: prelu,
  Add: binary('Add'),
  Sub: binary('Sub'),
  Mul: binary('Multiply'),
  Div: binary('RealDiv'),
  Pow: pow,
  Sum: several('Add'),
  Max: several('Maximum'),
  Min: several('Minimum'),
};
