import * as tf from '@tensorflow/tfjs-core';
import type { TensorType } from '../../graph/types.ts';
import type { Tensors, Variables } from '../../networks/network.ts';
import { withinNorm } from './max-norm.ts';
import type { Units } from './max-norm.ts';
import { muonColumns, orthogonalized } from './muon.ts';

export interface OptimizerConfig {
  readonly type: 'sgd' | 'momentum' | 'nesterov' | 'rmsprop' | 'adam' | 'adamw' | 'muon';
  /** `momentum`, `nesterov`: default 0.9. */
  readonly momentum?: number;
  /** `adam`, `adamw`, `muon`: default 0.9. */
  readonly beta1?: number;
  /** `adam`, `adamw`, `rmsprop`, `muon`: default 0.999. */
  readonly beta2?: number;
  /** `adam`, `adamw`, `rmsprop`, `muon`: added to the root in the denominator. Default 1e-8. */
  readonly epsilon?: number;
  /** `adamw`, `muon`: decoupled (Loshchilov & Hutter 2019); others: added to the gradient (L2). Default 0. */
  readonly weightDecay?: number;
  /** `matrices` (default) exempts biases, norm scales and all other tensors of rank 0 or 1. */
  readonly decay?: 'matrices' | 'all';
  /** Gradients are scaled down to this global norm. Default: not clipped. */
  readonly clipNorm?: number | undefined;
  /** Maximum norm of a unit's incoming weights, enforced after each update. Default: unlimited. */
  readonly maxNorm?: number | undefined;
}

export interface Optimizer {
  /** The optimizer's own variables, zero at the start, by state name, e.g. `adam.m/stem/kernel`. */
  readonly slots: Variables;
  /** Scalars that change from step to step. */
  readonly feeds: Readonly<Record<string, TensorType>>;
  /** Values of these scalars at a step (from 0). */
  readonly feedValues: (step: number, learningRate: number) => Record<string, Float32Array>;
  /** Updates the variables and the slots. A variable without a gradient keeps its value. */
  readonly apply: (gradients: Tensors, feeds: Tensors) => void;
}

/** Update rule: computes a variable and its slots from its gradient. */
interface Rule {
  /** Names of the slots for a variable of this shape. */
  readonly slots: (shape: readonly number[]) => readonly string[];
  readonly scalars: (step: number, learningRate: number) => Record<string, number>;
  readonly update: (
    gradient: tf.Tensor,
    slots: Readonly<Record<string, tf.Tensor>>,
    feeds: Tensors,
  ) => { readonly by: tf.Tensor; readonly slots: Readonly<Record<string, tf.Tensor>> };
}

/** `variables`: the trainable ones, by state name. `rateOf`: factor of a variable's learning rate. `units`: weights that `maxNorm` limits. */
export function createOptimizer(
  config: OptimizerConfig,
  variables: Variables,
  rateOf: (name: string) => number = () => 1,
  units: Units = new Map(),
): Optimizer {
  const rule = RULES[config.type](config);
  const decay = config.weightDecay ?? 0;
  const decoupled = config.type === 'adamw' || config.type === 'muon';
  const decays = (variable: tf.Variable): boolean => decay !== 0 && (config.decay === 'all' || variable.rank > 1);
  const slots: Record<string, tf.Variable> = {};
  for (const [name, { shape }] of Object.entries(variables)) {
    // Slots of the same shape start as one tensor: tfjs variables share its memory.
    const zeros = tf.zeros(shape);
    for (const slot of rule.slots(shape)) slots[`${slot}/${name}`] = tf.variable(zeros, false);
  }

  function scalars(step: number, learningRate: number): Record<string, number> {
    return {
      ...rule.scalars(step, learningRate),
      ...(decay === 0 ? {} : decoupled ? { keep: 1 - learningRate * decay } : { weightDecay: decay }),
      ...(config.clipNorm === undefined ? {} : { clipNorm: config.clipNorm }),
    };
  }

  function apply(gradients: Tensors, feeds: Tensors): void {
    const clipped = config.clipNorm === undefined ? gradients : clipByGlobalNorm(gradients, feeds.clipNorm!);
    for (const [name, gradient] of Object.entries(clipped)) {
      const variable = variables[name]!;
      const coupled = decays(variable) && !decoupled;
      const g = coupled ? tf.add(gradient, tf.mul(variable, feeds.weightDecay!)) : gradient;
      const before = Object.fromEntries(rule.slots(variable.shape).map((slot) => [slot, slots[`${slot}/${name}`]!]));
      const { by, slots: after } = rule.update(g, before, feeds);
      for (const [slot, value] of Object.entries(after)) slots[`${slot}/${name}`]!.assign(value);
      const rate = rateOf(name);
      const keep = (): tf.Tensor => (rate === 1 ? feeds.keep! : tf.sub(1, tf.mul(rate, tf.sub(1, feeds.keep!))));
      const kept = decays(variable) && decoupled ? tf.mul(variable, keep()) : variable;
      const moved = tf.sub(kept, rate === 1 ? by : tf.mul(by, rate));
      const axis = config.maxNorm === undefined ? undefined : units.get(name);
      variable.assign(axis === undefined ? moved : withinNorm(moved, axis, config.maxNorm!));
    }
  }

  return {
    slots,
    feeds: Object.fromEntries(Object.keys(scalars(0, 0)).map((name) => [name, { dtype: 'float32', shape: [] }])),
    feedValues: (step, learningRate) =>
      Object.fromEntries(Object.entries(scalars(step, learningRate)).map(([k, v]) => [k, Float32Array.of(v)])),
    apply,
  };
}

const RULES: Record<OptimizerConfig['type'], (config: OptimizerConfig) => Rule> = {
  sgd: () => ({
    slots: () => [],
    scalars: (_step, learningRate) => ({ learningRate }),
    update: (g, _slots, { learningRate }) => ({ by: tf.mul(g, learningRate!), slots: {} }),
  }),
  momentum: (config) => withMomentum(config, (_g, buffer) => buffer),
  /** Nesterov momentum (Sutskever et al. 2013). */
  nesterov: (config) => withMomentum(config, (g, buffer, momentum) => tf.add(g, tf.mul(buffer, momentum))),
  rmsprop,
  adam,
  adamw: adam,
  muon,
};

/** b ← μ·b + g, then p ← p - η·direction(g, b): the form of PyTorch and of most papers on distillation. */
function withMomentum(
  { momentum = 0.9 }: OptimizerConfig,
  direction: (g: tf.Tensor, buffer: tf.Tensor, momentum: number) => tf.Tensor,
): Rule {
  return {
    slots: () => ['sgd.momentum'],
    scalars: (_step, learningRate) => ({ learningRate }),
    update: (g, slots, { learningRate }) => {
      const buffer = tf.add(tf.mul(slots['sgd.momentum']!, momentum), g);
      return { by: tf.mul(direction(g, buffer, momentum), learningRate!), slots: { 'sgd.momentum': buffer } };
    },
  };
}

/** Tieleman & Hinton 2012: v ← β2·v + (1 - β2)·g², then p ← p - η·g / (√v + ε). */
function rmsprop({ beta2 = 0.999, epsilon = 1e-8 }: OptimizerConfig): Rule {
  return {
    slots: () => ['rmsprop.v'],
    scalars: (_step, learningRate) => ({ learningRate }),
    update: (g, slots, { learningRate }) => {
      const v = tf.add(tf.mul(slots['rmsprop.v']!, beta2), tf.mul(tf.square(g), 1 - beta2));
      const by = tf.mul(tf.div(g, tf.add(tf.sqrt(v), epsilon)), learningRate!);
      return { by, slots: { 'rmsprop.v': v } };
    },
  };
}

/**
 * Adam (Kingma & Ba 2015). The slots hold the plain sums M = Σ β1^k·g and V = Σ β2^k·g²; the factors (1 - β) and the bias
 * corrections are folded into two scalars computed in double precision, `stepSize` and `epsilon`, so that
 * p ← p - stepSize · M / (√V + epsilon) is the paper's update at three multiplications less per weight.
 */
function adam({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: OptimizerConfig): Rule {
  return {
    slots: () => ['adam.m', 'adam.v'],
    scalars: (step, learningRate) => {
      const first = (1 - beta1) / (1 - beta1 ** (step + 1));
      const second = Math.sqrt((1 - beta2) / (1 - beta2 ** (step + 1)));
      return { stepSize: (learningRate * first) / second, epsilon: epsilon / second };
    },
    update: (g, slots, feeds) => {
      const m = tf.add(tf.mul(slots['adam.m']!, beta1), g);
      const v = tf.add(tf.mul(slots['adam.v']!, beta2), tf.square(g));
      const by = tf.mul(tf.div(m, tf.add(tf.sqrt(v), feeds.epsilon!)), feeds.stepSize!);
      return { by, slots: { 'adam.m': m, 'adam.v': v } };
    },
  };
}

/** Muon for filters of convolutions, see `muon.ts`, AdamW for all else. The momentum is Adam's sum Σ β1^k·g. */
function muon(config: OptimizerConfig): Rule {
  const { beta1 = 0.9 } = config;
  const others = adam(config);
  return {
    slots: (shape) => (muonColumns(shape) === undefined ? others.slots(shape) : ['adam.m']),
    scalars: (step, learningRate) => ({ ...others.scalars(step, learningRate), learningRate }),
    update: (g, slots, feeds) => {
      const columns = muonColumns(g.shape);
      if (columns === undefined) return others.update(g, slots, feeds);
      const m = tf.add(tf.mul(slots['adam.m']!, beta1), g);
      const direction = orthogonalized(tf.add(g, tf.mul(m, beta1)), columns);
      return { by: tf.mul(direction, feeds.learningRate!), slots: { 'adam.m': m } };
    },
  };
}

/**
 * Scales all gradients by min(1, norm / global norm), with the global norm over all gradients together (Pascanu et al. 2013, "On the difficulty of
 * training recurrent neural networks").
 */
function clipByGlobalNorm(gradients: Readonly<Record<string, tf.Tensor>>, norm: tf.Tensor): Record<string, tf.Tensor> {
  const squares = Object.values(gradients).map((gradient) => tf.sum(tf.square(gradient)));
  const total = tf.sqrt(tf.addN(squares));
  const scale = tf.minimum(1, tf.div(norm, tf.maximum(total, 1e-12)));
  return Object.fromEntries(Object.entries(gradients).map(([name, gradient]) => [name, tf.mul(gradient, scale)]));
}
