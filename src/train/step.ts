import * as tf from '@tensorflow/tfjs-core';
import type { TensorType } from '../graph/types.ts';
import { prefixed, sized } from '../networks/network.ts';
import type { Network, Tensors, Variables } from '../networks/network.ts';
import type { StepProgram } from '../trace/program.ts';
import type { Loss, LossInput } from './loss.ts';
import type { LossScale } from './loss-scale.ts';
import type { Optimizer } from './optimizers.ts';

/** State names of the moving average of the weights: those of the model behind this prefix. */
export const EMA_PREFIX = 'ema/';

export interface TrainingOptions {
  /** Gives logits [batch, classes]. */
  readonly network: Network;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly batchSize: number;
  /**
   * `classes`: int32 class indexes are fed as `labels`. `mixup`: also `partners`, positions in the batch, and `lambda`.
   * `soft`: distributions [batch, classes] are fed as `targets`. Default `classes`.
   */
  readonly targets?: 'classes' | 'mixup' | 'soft';
  /**
   * A second network of the same architecture whose variables follow as a moving average (Polyak & Juditsky 1992) with the
   * decay that is fed as `emaDecay`. An evaluation program of it reads the averaged weights.
   */
  readonly ema?: Network;
  /** Pruned weights stay zero: a variable of zeros and ones by the name of the weight; its state is `mask/<weight>`. */
  readonly masks?: Variables;
  /** For a step whose products are computed in float16. */
  readonly lossScale?: LossScale | undefined;
}

/** State names of masks: that of the weight behind this prefix. */
export const MASK_PREFIX = 'mask/';

/**
 * One training step: forward, loss, backward, update. Feeds: `x`, the targets, `weights` [batch], `teacherLogits` and
 * `teacher/<name>` where the loss needs them, `hyper/<name>` and the optimizer's scalars. Results: `loss`,
 * `loss/<part>`, and `correct`, the summed weight of the samples whose class the model hit before the update.
 */
export function trainingProgram(options: TrainingOptions): StepProgram {
  const { network, loss, optimizer, targets = 'classes', ema, masks = {}, lossScale } = options;
  const { state, trainable } = network;
  const average = ema === undefined ? {} : prefixed(ema.state, EMA_PREFIX);
  const trained = { ...trainable, ...loss.variables };
  const layers = loss.features.map(({ student }) => student);
  const classes = classCountOf(network);

  function run(feeds: Tensors): Record<string, tf.Tensor> {
    const goal = targetsFrom(feeds, targets, classes);
    const weights = feeds.weights as tf.Tensor1D;
    const results: Record<string, tf.Tensor> = {};
    const { grads } = tf.variableGrads(() => {
      const { logits, layers: inner } = forward(network, feeds, { training: true, layers });
      const input = lossInput(loss, feeds, {
        studentLogits: logits,
        targets: goal,
        weights,
        studentFeatures: inner,
      });
      const { loss: value, parts } = loss.compute(input);
      results['loss'] = tf.keep(value.clone());
      for (const [name, part] of Object.entries(parts)) results[`loss/${name}`] = tf.keep(part.clone());
      results['correct'] = tf.keep(correct(logits, goal, weights));
      const whole = network.penalties().reduce<tf.Scalar>((sum, penalty) => tf.add(sum, penalty), value);
      return lossScale === undefined ? whole : lossScale.scaled(whole);
    }, Object.values(trained));
    const gradients = byStateName(trained, grads);
    if (lossScale === undefined) optimizer.apply(gradients, feeds);
    else lossScale.apply(gradients, { ...trained, ...optimizer.slots }, (plain) => optimizer.apply(plain, feeds));
    const masked = (name: string, value: tf.Tensor): tf.Tensor =>
      masks[name] === undefined ? value : tf.mul(value, masks[name]);
    for (const name of Object.keys(masks)) state[name]!.assign(masked(name, state[name]!));
    for (const [name, variable] of Object.entries(state)) {
      const averaged = average[`${EMA_PREFIX}${name}`];
      averaged?.assign(masked(name, tf.add(variable, tf.mul(tf.sub(averaged, variable), feeds.emaDecay!))));
    }
    return results;
  }

  const maskState = Object.fromEntries(Object.entries(masks).map(([name, mask]) => [`${MASK_PREFIX}${name}`, mask]));
  return {
    feeds: {
      ...lossFeeds(options),
      ...optimizer.feeds,
      ...(ema === undefined ? {} : { emaDecay: floats([]) }),
    },
    state: { ...state, ...loss.variables, ...optimizer.slots, ...average, ...maskState, ...lossScale?.variables },
    run,
  };
}

/** What every program that computes a loss is fed. */
export function lossFeeds({
  network,
  loss,
  batchSize,
  targets = 'classes',
}: Pick<TrainingOptions, 'network' | 'loss' | 'batchSize' | 'targets'>): StepProgram['feeds'] {
  const classes = classCountOf(network);
  return {
    ...inputFeeds(network, batchSize),
    ...targetTypes(targets, batchSize, classes),
    weights: floats([batchSize]),
    ...(loss.needs !== 'labels' ? { teacherLogits: floats([batchSize, classes]) } : {}),
    ...Object.fromEntries(
      loss.features.map(({ teacher, teacherShape }) => [`teacher/${teacher}`, floats([batchSize, ...teacherShape])]),
    ),
    ...Object.fromEntries([...Object.keys(loss.hyper), ...network.hyper].map((name) => [`hyper/${name}`, floats([])])),
  };
}

/** The feed of an input: `x` where a network has one alone, else `x/<name>`. */
function feedOf(network: Network, name: string): string {
  return Object.keys(network.inputs).length === 1 ? 'x' : `x/${name}`;
}

export function inputFeeds(network: Network, batchSize: number): StepProgram['feeds'] {
  const inputs = Object.entries(network.inputs);
  return Object.fromEntries(inputs.map(([name, type]) => [feedOf(network, name), sized(narrow(type), batchSize)]));
}

/** tfjs has one type of whole numbers. */
function narrow({ dtype, shape }: TensorType): TensorType {
  return { dtype: dtype === 'int64' ? 'int32' : dtype, shape };
}

/** A call with what the feeds hold for it. */
export function forward(
  network: Network,
  feeds: Tensors,
  { training, layers }: { readonly training: boolean; readonly layers: readonly string[] },
): { readonly logits: tf.Tensor2D; readonly layers: Tensors; readonly outputs: Tensors } {
  const inputs = Object.fromEntries(Object.keys(network.inputs).map((name) => [name, feeds[feedOf(network, name)]!]));
  const hyper = Object.fromEntries(network.hyper.map((name) => [name, feeds[`hyper/${name}`] as tf.Scalar]));
  const called = network.forward(inputs, { training, layers, ...(training && { hyper }) });
  return { ...called, logits: called.outputs['logits'] as tf.Tensor2D };
}

export function lossInput(
  loss: Loss,
  feeds: Tensors,
  rest: Pick<LossInput, 'studentLogits' | 'targets' | 'weights' | 'studentFeatures'>,
): LossInput {
  return {
    ...rest,
    ...(feeds.teacherLogits === undefined ? {} : { teacherLogits: feeds.teacherLogits as tf.Tensor2D }),
    teacherFeatures: Object.fromEntries(loss.features.map(({ teacher }) => [teacher, feeds[`teacher/${teacher}`]!])),
    hyper: Object.fromEntries(Object.keys(loss.hyper).map((name) => [name, feeds[`hyper/${name}`] as tf.Scalar])),
  };
}

/** `tf.variableGrads` answers by tfjs' own variable names. */
export function byStateName(variables: Variables, gradients: tf.NamedTensorMap): Record<string, tf.Tensor> {
  const found = Object.entries(variables).flatMap(([name, variable]): [string, tf.Tensor][] => {
    const gradient = gradients[variable.name];
    return gradient === undefined ? [] : [[name, gradient]];
  });
  return Object.fromEntries(found);
}

export function targetsFrom(feeds: Tensors, kind: 'classes' | 'mixup' | 'soft', classes: number): tf.Tensor2D {
  if (kind === 'soft') return feeds.targets as tf.Tensor2D;
  const own = tf.oneHot(feeds.labels as tf.Tensor1D, classes, 1, 0, 'float32') as tf.Tensor2D;
  if (kind === 'classes') return own;
  const lambda = tf.expandDims(feeds.lambda!, 1);
  const partners = tf.gather(own, feeds.partners as tf.Tensor1D);
  return tf.add(partners, tf.mul(tf.sub(own, partners), lambda));
}

function targetTypes(kind: 'classes' | 'mixup' | 'soft', batch: number, classes: number): Record<string, TensorType> {
  if (kind === 'soft') return { targets: floats([batch, classes]) };
  const labels: TensorType = { dtype: 'int32', shape: [batch] };
  return kind === 'classes' ? { labels } : { labels, partners: labels, lambda: floats([batch]) };
}

export function correct(logits: tf.Tensor2D, targets: tf.Tensor2D, weights: tf.Tensor1D): tf.Scalar {
  const hit = tf.cast(tf.equal(tf.argMax(logits, -1), tf.argMax(targets, -1)), 'float32');
  return tf.sum(tf.mul(hit, weights));
}

export function classCountOf(network: Network): number {
  return Number(network.outputs['logits']!.shape.at(-1));
}

export function floats(shape: readonly number[]): TensorType {
  return { dtype: 'float32', shape };
}
