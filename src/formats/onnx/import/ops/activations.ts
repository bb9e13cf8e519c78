import { attr, floatAttr } from '../attrs.ts';
import type { Import, Importer } from '../context.ts';
import { onOne, unary } from './elementwise.ts';

const clip: Importer = (node, c) => {
  const [, low = '', high = ''] = node.inputs;
  const isComputed = (name: string): boolean => name !== '' && !c.isKnown(name);
  if (c.opset >= 11 && (isComputed(low) || isComputed(high))) {
    const above = (x: string): string => (low === '' ? x : c.op('Maximum', [x, c.plain(low)]));
    onOne(node, c, (x) => (high === '' ? above(x) : c.op('Minimum', [above(x), c.plain(high)])));
  } else clipped(node, c);
};

const clipped: Importer = (node, c) => {
  const bound = (name: 'min' | 'max', position: number, otherwise: number): number => {
    if (c.opset < 11) return floatAttr(node, c, name, otherwise);
    const input = node.inputs[position] ?? '';
    return input === '' ? otherwise : c.number(input, name);
  };
  const [low, high] = [bound('min', 1, -Infinity), bound('max', 2, Infinity)];
  // If the bounds cross, everything becomes the upper bound.
  const attrs = { clipValueMin: Math.min(low, high), clipValueMax: high };
  if (low === 0 && high === 6) unary('Relu6')(node, c);
  else if (low === 0 && high === Infinity) unary('Relu')(node, c);
  else unary('ClipByValue', () => attrs)(node, c);
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

/** x - bias where x > lambd, x + bias where x < -lambd, else 0. */
const shrink: Importer = (node, c) => {
  const [lambd, bias] = [floatAttr(node, c, 'lambd', 0.5), floatAttr(node, c, 'bias', 0)];
  onOne(node, c, (x) => {
    const number = (value: number): string => c.constant(Float32Array.of(value), []);
    const high = c.op('Select', [c.op('Greater', [x, number(lambd)]), c.op('Sub', [x, number(bias)]), number(0)]);
    // The lower side is tested first: both conditions hold if lambd is negative.
    return c.op('Select', [c.op('Less', [x, number(-lambd)]), c.op('Add', [x, number(bias)]), high]);
  });
};

/** Klambauer et al. 2017; in operator set 1 with fewer digits. */
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

export const activationImporters: Readonly<Record<string, Importer>> = {
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
  Shrink: shrink,
  Clip: clip,
};
