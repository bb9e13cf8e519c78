import { shown } from '../../../base/errors.ts';
import { isObject } from '../config.ts';
import type { LayerContext, LayerRule, KerasValue } from '../context.ts';

/** An activation of single values: the tensor that it makes of a tensor. */
type Activation = (k: LayerContext, x: string, options: Readonly<Record<string, unknown>>) => string;

const clip: (k: LayerContext, x: string, low: number, high: number) => string = (k, x, low, high) =>
  k.op('Clip', [x, k.scalar(low), k.scalar(high)]);
const plain =
  (op: string): Activation =>
  (k, x) =>
    k.op(op, [x]);
const silu: Activation = (k, x) => k.op('Mul', [x, k.op('Sigmoid', [x])]);
const hardSilu: Activation = (k, x) => k.op('HardSwish', [x]);

/** Keras 3 has relu6(x + 3) / 6, Keras 2 0.2 · x + 0.5 between 0 and 1. */
const hardSigmoid: Activation = (k, x) =>
  k.op('HardSigmoid', [x], { alpha: { float: k.isKeras3 ? 1 / 6 : 0.2 }, beta: { float: 0.5 } });

const POINTWISE: Readonly<Record<string, Activation>> = {
  linear: (_, x) => x,
  relu: plain('Relu'),
  relu6: (k, x) => clip(k, x, 0, 6),
  leaky_relu: (k, x, { negative_slope: slope = 0.2 }) => k.op('LeakyRelu', [x], { alpha: { float: Number(slope) } }),
  elu: plain('Elu'),
  selu: plain('Selu'),
  celu: plain('Celu'),
  sigmoid: plain('Sigmoid'),
  hard_sigmoid: hardSigmoid,
  log_sigmoid: (k, x) => k.op('Neg', [k.op('Softplus', [k.op('Neg', [x])])]),
  tanh: plain('Tanh'),
  hard_tanh: (k, x) => clip(k, x, -1, 1),
  tanh_shrink: (k, x) => k.op('Sub', [x, k.op('Tanh', [x])]),
  softplus: plain('Softplus'),
  softsign: plain('Softsign'),
  exponential: plain('Exp'),
  gelu: (k, x, { approximate = false }) =>
    k.op('Gelu', [x], approximate === true ? { approximate: 'tanh' } : { approximate: 'none' }),
  mish: plain('Mish'),
  silu,
  swish: silu,
  hard_silu: hardSilu,
  hard_swish: hardSilu,
};

/** Activations over the last axis. */
const ACROSS: Readonly<Record<string, string>> = { softmax: 'Softmax', log_softmax: 'LogSoftmax' };

/** Applies the activation that a setting names. */
export function activated(k: LayerContext, value: KerasValue, key = 'activation'): KerasValue {
  const stated = k.setting(key) ?? 'linear';
  const name = isObject(stated) && typeof stated['config'] === 'string' ? stated['config'] : stated;
  if (typeof name !== 'string') return k.refuse(key);
  return namedActivation(k, value, name) ?? k.refuse(key);
}

/** Undefined for a name that is not known. */
export function namedActivation(
  k: LayerContext,
  value: KerasValue,
  name: string,
  options: Readonly<Record<string, unknown>> = {},
): KerasValue | undefined {
  if (Object.hasOwn(ACROSS, name)) return over(k, value, ACROSS[name]!, -1);
  if (!Object.hasOwn(POINTWISE, name)) return undefined;
  return { ...value, tensor: POINTWISE[name]!(k, value.tensor, options) };
}

/** Softmax along an axis in the order of Keras. */
function over(k: LayerContext, value: KerasValue, op: string, axis: unknown): KerasValue {
  const rank = value.shape.length;
  const along = k.axis(axis, rank);
  if (along === 0) k.fail('cannot compute along the batch');
  return { ...value, isFirst: false, tensor: k.op(op, [k.last(value)], { axis: along }) };
}

const relu: LayerRule = (k, [x]) => {
  const slope = k.number('negative_slope', 0);
  const threshold = k.number('threshold', 0);
  const limit = k.setting('max_value');
  if (limit !== null && limit !== undefined && typeof limit !== 'number') k.refuse('max_value');
  const { tensor } = x!;
  if (slope === 0 && threshold === 0 && typeof limit === 'number') return { ...x!, tensor: clip(k, tensor, 0, limit) };
  let y = slope === 0 ? k.op('Relu', [tensor]) : k.op('LeakyRelu', [tensor], { alpha: { float: slope } });
  if (threshold !== 0) {
    const below = k.op('Mul', [k.op('Sub', [tensor, k.scalar(threshold)]), k.scalar(slope)]);
    y = k.op('Where', [k.op('GreaterOrEqual', [tensor, k.scalar(threshold)]), tensor, below]);
  }
  return { ...x!, tensor: typeof limit === 'number' ? k.op('Min', [y, k.scalar(limit)]) : y };
};

const prelu: LayerRule = (k, [x]) => {
  const shared = (k.setting('shared_axes') ?? []) as number[];
  const shape = x!.shape.slice(1).map((size, i) => (shared.includes(i + 1) ? 1 : size));
  return { ...x!, isFirst: false, tensor: k.op('PRelu', [k.last(x!), k.weight('alpha', shape)]) };
};

const softmax: LayerRule = (k, [x]) => {
  if (k.call.kwargs['mask'] !== undefined && k.call.kwargs['mask'] !== null) k.fail('cannot compute with a mask');
  return over(k, x!, 'Softmax', k.setting('axis') ?? -1);
};

const leaky: LayerRule = (k, [x]) => {
  const [slope, alpha] = [k.setting('negative_slope'), k.setting('alpha')];
  const value = slope ?? alpha ?? 0.3;
  if (typeof value !== 'number') return k.fail(`cannot compute with the slope ${shown(value)}`);
  return { ...x!, tensor: k.op('LeakyRelu', [x!.tensor], { alpha: { float: value } }) };
};

export const activationLayers: Readonly<Record<string, LayerRule>> = {
  Activation: (k, [x]) => activated(k, x!),
  ReLU: relu,
  LeakyReLU: leaky,
  PReLU: prelu,
  ELU: (k, [x]) => ({ ...x!, tensor: k.op('Elu', [x!.tensor], { alpha: { float: k.number('alpha', 1) } }) }),
  ThresholdedReLU: (k, [x]) => ({
    ...x!,
    tensor: k.op('ThresholdedRelu', [x!.tensor], { alpha: { float: k.number('theta', 1) } }),
  }),
  Softmax: softmax,
};
