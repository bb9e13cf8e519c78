import type { Attrs } from '../../support/onnx-steps.ts';
import { float } from './sketch.ts';
import type { Sketch } from './sketch.ts';
import type { Layer } from './layers.ts';

/** Functions of one number without a jump, and the operator set from which they are there. */
const FUNCTIONS: Readonly<Record<string, number>> = {
  ...{ Relu: 1, Sigmoid: 1, Tanh: 1, LeakyRelu: 1, Elu: 1, Selu: 1, Softplus: 1, Softsign: 1, HardSigmoid: 1, Abs: 1 },
  ...{ Neg: 1, Sin: 7, Cos: 7, Erf: 9, Shrink: 9, Celu: 12, HardSwish: 14, Mish: 18, Gelu: 20, Swish: 24, Atan: 7 },
  ...{
    Asinh: 9,
    Sinh: 9,
    Cosh: 9,
    Exp: 1,
    Tan: 7,
    Asin: 7,
    Acos: 7,
    Atanh: 9,
    Sqrt: 1,
    Log: 1,
    Reciprocal: 1,
    Acosh: 9,
  },
};
const OF_LITTLE = new Set(['Sinh', 'Cosh', 'Exp', 'Tan', 'Asin', 'Acos', 'Atanh']);
const OF_POSITIVE = new Set(['Sqrt', 'Log', 'Reciprocal', 'Acosh']);

const positive = (g: Sketch, x: string, least: number): string => g.op('Add', [g.op('Abs', [x]), g.floats(least)]);

function attrsOf(g: Sketch, op: string): Attrs {
  switch (op) {
    case 'LeakyRelu':
    case 'Elu':
    case 'Celu':
      return g.chance() ? { alpha: float(g.pick(0.1, 0.3, 1.5)) } : {};
    case 'Swish':
      return g.chance() ? { alpha: float(g.pick(0.5, 1.7)) } : {};
    case 'HardSigmoid':
      return g.chance() ? { alpha: float(g.pick(1 / 6, 0.3)), beta: float(g.pick(0.5, 0.4)) } : {};
    case 'Selu':
      return g.chance() ? { alpha: float(1.2), gamma: float(0.9) } : {};
    case 'Gelu':
      return g.chance() ? { approximate: 'tanh' } : {};
    case 'Shrink':
      return { lambd: float(0.3), bias: float(0.3) };
    default:
      return {};
  }
}

const activation: Layer = (g, x) => {
  const op = g.pick(...Object.keys(FUNCTIONS).filter((name) => FUNCTIONS[name]! <= g.opset));
  const little = OF_LITTLE.has(op) ? g.op('Mul', [g.op('Tanh', [x]), g.floats(0.9)]) : x;
  return g.op(op, [OF_POSITIVE.has(op) ? positive(g, x, op === 'Acosh' ? 1.3 : 0.5) : little], attrsOf(g, op));
};

const clip: Layer = (g, x) => {
  const [least, most] = g.pick([-0.5, 0.7], [undefined, 0.5], [-0.3, undefined], [0, 6]);
  if (g.opset < 11)
    return g.op('Clip', [x], {
      ...(least !== undefined && { min: float(least) }),
      ...(most !== undefined && { max: float(most) }),
    });
  const low = least === undefined ? '' : g.floats(least);
  return g.op('Clip', [x, low, ...(most === undefined ? [] : [g.floats(most)])]);
};

/** Activations as exporters write them out. */
const composed: Layer = (g, x) => {
  const mul = (a: string, b: string): string => g.op('Mul', g.chance() ? [a, b] : [b, a]);
  switch (g.int(0, 6)) {
    case 0:
      return mul(x, g.op('Sigmoid', [x]));
    case 1:
      return mul(x, g.op('HardSigmoid', [x], { alpha: float(Math.fround(1 / 6)), beta: float(0.5) }));
    case 2:
      return mul(x, g.op('Tanh', [g.op('Softplus', [x])]));
    case 3: {
      g.since(9);
      const erf = g.op('Erf', [g.op('Div', [x, g.floats(Math.SQRT2)])]);
      return mul(mul(x, g.op('Add', [erf, g.floats(1)])), g.floats(0.5));
    }
    case 4: {
      const cubed = mul(mul(x, x), x);
      const inner = mul(g.op('Add', [x, mul(cubed, g.floats(0.044715))]), g.floats(Math.sqrt(2 / Math.PI)));
      return mul(mul(x, g.floats(0.5)), g.op('Add', [g.op('Tanh', [inner]), g.floats(1)]));
    }
    case 5: {
      g.since(9);
      const side = g.op(g.pick('Greater', 'Less'), [x, g.floats(0)]);
      return g.op('Where', [side, mul(x, g.floats(0.7)), mul(x, g.floats(0.3))]);
    }
    default:
      return g.op('Pow', [positive(g, x, 0.4), g.op('Add', [g.op('Sigmoid', [x]), g.floats(0.5)])]);
  }
};

const prelu: Layer = (g, x) => {
  const [, channels, ...sizes] = g.shape(x) as [number, number, ...number[]];
  const dims = g.pick([channels, ...sizes.map(() => 1)], [1], [channels, ...sizes]);
  return g.op('PRelu', [x, g.weight(dims, { scale: 0.4 })]);
};

const softmax: Layer = (g, x) => {
  const axes = [...g.shape(x).keys()].slice(1);
  const negative = g.opset >= 11 ? [-1] : [];
  return g.op(g.pick('Softmax', 'Softmax', 'LogSoftmax'), [x], {
    ...(g.chance(0.85) && { axis: g.pick(...axes, ...negative) }),
  });
};

/** With what is stored, of every shape that broadcasts, and sometimes with something greater than x. */
const withStored: Layer = (g, x) => {
  const [, ...sample] = g.shape(x);
  const ones = sample.slice(1).map(() => 1);
  const dims = g.pick([], [1], sample.slice(-1), [sample[0]!, ...ones], [1, sample[0]!, ...ones], sample);
  const op = g.pick('Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Pow');
  if (op === 'Pow') return g.op('Pow', [positive(g, x, 0.3), g.floats(g.pick(2, 0.5, 3, 1.7, -1))]);
  const w = g.weight(dims, { scale: 0.8, isPositive: op === 'Div' });
  return g.op(op, op === 'Div' || g.chance(0.7) ? [x, w] : [w, x]);
};

const several: Layer = (g, x) => {
  const [, ...sample] = g.shape(x);
  const inputs = [x, g.weight(sample, { scale: 0.6 }), g.weight([1], { scale: 0.6 })];
  return g.op(g.pick('Max', 'Min', 'Sum', 'Mean'), g.opset >= 8 ? inputs : [x, x, x]);
};

/** With something that came before: a residual, a product of two branches, a concatenation. */
const withEarlier: Layer = (g, x) => {
  const shape = g.shape(x);
  const others = g.earlier().filter((name) => {
    const other = g.shape(name);
    return name !== x && /^[vx]/.test(name) && other.length === shape.length && other[0] === shape[0];
  });
  const fits = (name: string, isFree: (axis: number, size: number) => boolean): boolean =>
    g.shape(name).every((size, axis) => size === shape[axis] || isFree(axis, size));
  const broadcast = others.filter((name) => fits(name, (axis, size) => size === 1 || shape[axis] === 1));
  if (broadcast.length > 0 && g.chance(0.6)) {
    const other = g.pick(...broadcast);
    const op = fits(other, () => false)
      ? g.pick('Add', 'Mul', 'Sub', 'Max', 'Sum', 'Mean')
      : g.pick('Add', 'Mul', 'Sub');
    return g.op(op, [x, other]);
  }
  const axis = g.int(1, shape.length - 1);
  const beside = others.filter((name) => fits(name, (at) => at === axis));
  g.fits(beside.length > 0);
  return g.op('Concat', [x, g.pick(...beside), ...(g.chance(0.2) ? [x] : [])], { axis });
};

/** Axes as attribute or, from operator set `first` on, as input. */
function over(g: Sketch, op: string, x: string, axes: readonly number[], first: number, attrs: Attrs): string {
  return g.opset >= first ? g.op(op, [x, g.ints(...axes)], attrs) : g.op(op, [x], { axes, ...attrs });
}

const REDUCTIONS = ['Mean', 'Sum', 'Max', 'Min', 'Prod', 'L1', 'L2', 'LogSumExp', 'SumSquare', 'LogSum'];

const reduce: Layer = (g, x) => {
  const rank = g.shape(x).length;
  const op = `Reduce${g.pick(...REDUCTIONS)}`;
  const chosen = g.order(rank).slice(1, 1 + g.int(1, 2));
  const keepdims = rank - chosen.length < 2 ? 1 : g.int(0, 1);
  const axes = g.opset >= 11 && g.chance(0.3) ? chosen.map((axis) => axis - rank) : chosen;
  const read = op === 'ReduceLogSum' ? positive(g, x, 0.3) : x;
  const y = over(g, op, read, axes, op === 'ReduceSum' ? 13 : 18, { keepdims });
  return keepdims === 1 && g.chance(0.6) ? g.op(g.pick('Sub', 'Mul', 'Add'), [x, y]) : y;
};

const batchNorm: Layer = (g, x) => {
  const channels = [g.shape(x)[1]!];
  const statistics = [g.plain(channels), g.plain(channels, { isPositive: true })];
  const learned = [g.plain(channels, { isPositive: true }), g.plain(channels)];
  return g.op('BatchNormalization', [x, ...learned, ...statistics], { epsilon: float(g.pick(1e-5, 1e-3, 0.1)) });
};

const channelNorm: Layer = (g, x) => {
  const [, channels, ...sizes] = g.shape(x) as [number, number, ...number[]];
  g.fits(sizes.reduce((a, b) => a * b, 1) > 1);
  const epsilon = float(g.pick(1e-5, 1e-3, 0.1));
  const learned = (count: number): string[] => [g.weight([count], { isPositive: true }), g.weight([count])];
  if (g.chance(0.4)) return g.op('InstanceNormalization', [x, ...learned(channels)], { epsilon });
  const groups = g.pick(...[1, 2, 3, channels].filter((one) => channels % one === 0));
  if (g.opset >= 18)
    return g.op('GroupNormalization', [x, ...learned(g.opset >= 21 ? channels : groups)], { num_groups: groups, epsilon }); // prettier-ignore
  // As PyTorch's exporter writes it.
  const flat = g.op('Reshape', [x, g.ints(0, groups, -1)]);
  const same = (value: number): string => g.table([groups], Array<number>(groups).fill(value));
  const normed = g.op('InstanceNormalization', [flat, same(1), same(0)], { epsilon });
  const whole = g.op('Reshape', [normed, g.ints(0, channels, ...sizes)]);
  const dims = [channels, ...sizes.map(() => 1)];
  return g.op('Add', [g.op('Mul', [whole, g.weight(dims, { isPositive: true })]), g.weight(dims)]);
};

const layerNorm: Layer = (g, x) => {
  const shape = g.shape(x);
  const axis = g.int(1, shape.length - 1);
  const dims = shape.slice(axis);
  g.fits(dims.reduce((a, b) => a * b, 1) > 1);
  if (g.opset >= 23 && g.chance(0.4))
    return g.op('RMSNormalization', [x, g.weight(dims, { isPositive: true })], { axis });
  const scale = g.weight(dims, { isPositive: true });
  if (g.opset >= 17 && g.chance(0.7)) {
    const inputs = [x, scale, ...(g.chance() ? [g.weight(dims)] : [])];
    return g.op('LayerNormalization', inputs, { axis: axis - g.pick(0, shape.length), epsilon: float(g.pick(1e-5, 1e-2)) }); // prettier-ignore
  }
  const axes = [...shape.keys()].slice(axis);
  const centred = g.op('Sub', [x, over(g, 'ReduceMean', x, axes, 18, { keepdims: 1 })]);
  const squared = g.chance() ? g.op('Mul', [centred, centred]) : g.op('Pow', [centred, g.floats(2)]);
  const variance = over(g, 'ReduceMean', squared, axes, 18, { keepdims: 1 });
  const deviation = g.op('Sqrt', [g.op('Add', [variance, g.floats(1e-3)])]);
  return g.op('Add', [g.op('Mul', [g.op('Div', [centred, deviation]), scale]), g.weight(dims)]);
};

const otherNorm: Layer = (g, x) => {
  const rank = g.shape(x).length;
  if (rank === 4 && g.opset >= 9 && g.chance()) {
    // Of a channel of equal numbers, such as padding, its 1e-9 leaves nothing but rounding.
    const varied = g.op('Add', [x, g.plain(g.shape(x).slice(1), { scale: 0.5 })]);
    return g.op('MeanVarianceNormalization', [varied], { axes: g.pick([2, 3], [1], [1, 2, 3]) });
  }
  const axis = g.int(1, rank - 1);
  g.fits(g.shape(x)[axis]! > 1);
  return g.op('LpNormalization', [x], { axis, p: g.int(1, 2) });
};

export const values: readonly Layer[] = [
  ...[activation, activation, activation, activation, clip, composed, prelu, softmax, withStored, several],
  ...[withEarlier, withEarlier, withEarlier, layerNorm],
];
export const channelled: readonly Layer[] = [batchNorm, batchNorm, channelNorm, channelNorm, reduce, otherNorm];
