import * as tf from '@tensorflow/tfjs-core';
import type { TensorType } from '../../graph/types.ts';
import { joinedOutputs } from './joined-outputs.ts';
import type { MixKind, Task } from '../../tasks/task.ts';
import { prefixed, atBatchSize } from '../../networks/network.ts';
import type { Forwarded, Network, Tensors, Variables } from '../../networks/network.ts';
import type { StepProgram } from '../../trace/program.ts';
import { partialOf } from './known.ts';
import { rowsOfBatch } from './rows.ts';
import type { Loss, LossInput } from './loss.ts';
import type { LossScale } from './loss-scale.ts';
import type { Optimizer } from '../optimizers/optimizers.ts';

/** Prefix of the state names of averaged weights; the name of the weight follows. */
export const EMA_PREFIX = 'ema/';

export interface TrainingOptions {
  /** Network whose outputs are the fields of the task's answers. */
  readonly network: Network;
  readonly task: Task;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly batchSize: number;
  /** Mixing of samples, see `MixKind`. Default none. */
  readonly mix?: MixKind;
  /**
   * A network of the same architecture whose variables are the moving average (Polyak & Juditsky 1992) with the fed decay `emaDecay`. An evaluation
   * program of this network reads the averaged weights.
   */
  readonly ema?: Network;
  /** Variables of zeros and ones by the name of the weight, which keep pruned weights at zero; state name `mask/<weight>`. */
  readonly masks?: Variables;
  /** True if samples may lack a label or a teacher's answer: `hasLabel`, `hasAnswer` and `isScored` [batch] are then fed. Default false. */
  readonly partial?: boolean | undefined;
  /** Loss scale, for a step with float16 products. */
  readonly lossScale?: LossScale | undefined;
  /** Number of elements of a teacher's answer. Default: as many as a student's. */
  readonly teacherWidth?: number | undefined;
  /** Network with the same inputs whose current outputs stand in for the teacher's answers. This step does not train it. */
  readonly peer?: Network | undefined;
}

/** Prefix of the state names of a peer, a second student of the same training. */
export const PEER_PREFIX = 'peer/';

/** Prefix of the state names of masks; the name of the weight follows. */
export const MASK_PREFIX = 'mask/';

/**
 * One training step: forward, loss, backward, update. Feeds: `x`, the targets, `weights` [batch], `teacherLogits` and `teacher/<name>` if the loss
 * needs them, `hyper/<name>` and the optimizer's scalars. Results: `loss`, `loss/<part>`, and `score/<sum>`, the task's sums over the batch before
 * the update. `gradient.ts` has the same step in two programs.
 */
export function trainingProgram(options: TrainingOptions): StepProgram {
  const penalized = (loss: tf.Scalar): tf.Scalar =>
    options.network.penalties().reduce<tf.Scalar>((sum, penalty) => tf.add(sum, penalty), loss);
  return {
    feeds: { ...lossFeeds(options), ...updateFeeds(options) },
    state: trainingState(options),
    run: (feeds) => {
      const { results, gradients } = differentiated(options, feeds, penalized);
      update(options, gradients, feeds);
      return results;
    },
  };
}

/** Results of a step, and the gradients of `minimized` of the loss by state name, including the loss scale. */
export function differentiated(
  { network, task, loss, mix = 'none', lossScale, peer }: TrainingOptions,
  given: Tensors,
  minimized: (loss: tf.Scalar) => tf.Scalar,
): { readonly results: Record<string, tf.Tensor>; readonly gradients: Record<string, tf.Tensor> } {
  const trained = { ...network.trainable, ...loss.variables };
  const layers = loss.features.map(({ student }) => student);
  // The peer is evaluated outside of the differentiated function: its answers are constants for the gradient.
  const feeds = peer === undefined ? given : { ...given, teacherLogits: answersOf(peer, task, given) };
  const goal = task.targets(feeds, mix);
  const weights = feeds.weights as tf.Tensor1D;
  const results: Record<string, tf.Tensor> = {};
  const { grads } = tf.variableGrads(() => {
    const { outputs: made, layers: inner } = forward(network, feeds, { training: true, layers });
    const outputs = task.forLoss(joinedOutputs(made, task.fields));
    const strong = loss.reads === 'strong' ? strongView(network, task, feeds) : undefined;
    const input = lossInput(loss, task, feeds, {
      ...(strong && { strong }),
      studentLogits: outputs,
      targets: goal,
      weights,
      studentFeatures: inner,
    });
    const { loss: value, parts } = loss.compute(input);
    results['loss'] = tf.keep(value.clone());
    for (const [name, part] of Object.entries(parts)) results[`loss/${name}`] = tf.keep(part.clone());
    const counted: tf.Tensor1D = feeds.isScored === undefined ? weights : tf.mul(weights, feeds.isScored);
    for (const [name, sum] of Object.entries(task.sums(outputs, goal, counted)))
      results[`score/${name}`] = tf.keep(sum);
    const whole = minimized(value);
    return lossScale === undefined ? whole : lossScale.scaled(whole);
  }, Object.values(trained));
  return { results, gradients: byStateName(trained, grads) };
}

/** Updates the weights by their gradients. Masked weights stay zero, and the moving average follows. */
export function update(
  { network, loss, optimizer, ema, masks = {}, lossScale }: TrainingOptions,
  gradients: Tensors,
  feeds: Tensors,
): void {
  const { state, trainable } = network;
  const average = averageOf(ema);
  const trained = { ...trainable, ...loss.variables };
  if (lossScale === undefined) optimizer.apply(gradients, feeds);
  else lossScale.apply(gradients, { ...trained, ...optimizer.slots }, (plain) => optimizer.apply(plain, feeds));
  const masked = (name: string, value: tf.Tensor): tf.Tensor =>
    masks[name] === undefined ? value : tf.mul(value, masks[name]);
  for (const name of Object.keys(masks)) state[name]!.assign(masked(name, state[name]!));
  for (const [name, variable] of Object.entries(state)) {
    const averaged = average[`${EMA_PREFIX}${name}`];
    averaged?.assign(masked(name, tf.add(variable, tf.mul(tf.sub(averaged, variable), feeds.emaDecay!))));
  }
}

/** Feeds of an update besides the gradients. */
export function updateFeeds({ optimizer, ema }: TrainingOptions): StepProgram['feeds'] {
  return { ...optimizer.feeds, ...(ema === undefined ? {} : { emaDecay: floats([]) }) };
}

/** Every variable of a training by state name. */
export function trainingState({
  network,
  loss,
  optimizer,
  ema,
  masks = {},
  lossScale,
  peer,
}: Omit<TrainingOptions, 'batchSize'>): Variables {
  const maskState = prefixed(masks, MASK_PREFIX);
  return {
    ...network.state,
    ...peer?.state,
    ...loss.variables,
    ...loss.memory,
    ...optimizer.slots,
    ...averageOf(ema),
    ...maskState,
    ...lossScale?.variables,
  };
}

function averageOf(ema: Network | undefined): Variables {
  return ema === undefined ? {} : prefixed(ema.state, EMA_PREFIX);
}

const KNOWN = ['hasLabel', 'hasAnswer', 'isScored'];

/** Feeds of every program that computes a loss. */
export function lossFeeds({
  network,
  task,
  loss,
  batchSize,
  mix = 'none',
  partial = false,
  teacherWidth = task.width,
  peer,
}: Pick<
  TrainingOptions,
  'network' | 'task' | 'loss' | 'batchSize' | 'mix' | 'partial' | 'teacherWidth' | 'peer'
>): StepProgram['feeds'] {
  return {
    ...inputFeeds(network, batchSize),
    ...task.feeds(batchSize, mix),
    weights: floats([batchSize]),
    ...(partial && Object.fromEntries(KNOWN.map((name) => [name, floats([batchSize])]))),
    ...(loss.needs !== 'labels' && peer === undefined ? { teacherLogits: floats([batchSize, teacherWidth]) } : {}),
    ...(loss.reads === 'rows' ? { rows: { dtype: 'int32', shape: [batchSize] } as const } : {}),
    ...(loss.reads === 'strong' ? strongFeeds(network, task, batchSize) : {}),
    ...Object.fromEntries(
      loss.features.map(({ teacher, teacherShape }) => [`teacher/${teacher}`, floats([batchSize, ...teacherShape])]),
    ),
    ...Object.fromEntries([...Object.keys(loss.hyper), ...network.hyper].map((name) => [`hyper/${name}`, floats([])])),
  };
}

/** Prefix of the feeds of a strong view: its inputs, and the teacher's answers to it. */
export const STRONG = 'strong/';

function strongFeeds(network: Network, task: Task, batchSize: number): StepProgram['feeds'] {
  const inputs = Object.entries(inputFeeds(network, batchSize)).map(([name, type]) => [STRONG + name, type] as const);
  return { ...Object.fromEntries(inputs), [`${STRONG}teacherLogits`]: floats([batchSize, task.width]) };
}

/** Outputs for the strong view, computed in training mode: norms see both views, as in the authors' code of CRLD. */
function strongView(network: Network, task: Task, feeds: Tensors): NonNullable<LossInput['strong']> {
  const inputs = Object.keys(inputFeeds(network, 1)).map((name) => [name, feeds[STRONG + name]!] as const);
  const { outputs } = forward(network, { ...feeds, ...Object.fromEntries(inputs) }, { training: true, layers: [] });
  return {
    studentLogits: task.forLoss(joinedOutputs(outputs, task.fields)),
    teacherLogits: task.forLoss(feeds[`${STRONG}teacherLogits`] as tf.Tensor2D),
  };
}

/** A peer's answers [batch, width] in training mode, without a change of its state. */
function answersOf(peer: Network, { fields }: Task, feeds: Tensors): tf.Tensor2D {
  const observed = Object.entries(peer.state).filter(([name]) => peer.trainable[name] === undefined);
  const before = observed.map(([, variable]) => [variable, variable.clone()] as const);
  const { outputs } = forward(peer, feeds, { training: true, layers: [] });
  for (const [variable, old] of before) variable.assign(old);
  return joinedOutputs(outputs, fields);
}

/** Feed name of an input: `x` for a single input, else `x/<name>`. */
function feedOf(network: Network, name: string): string {
  return Object.keys(network.inputs).length === 1 ? 'x' : `x/${name}`;
}

export function inputFeeds(network: Network, batchSize: number): StepProgram['feeds'] {
  const inputs = Object.entries(network.inputs);
  return Object.fromEntries(
    inputs.map(([name, type]) => [feedOf(network, name), atBatchSize(narrow(type), batchSize)]),
  );
}

/** tfjs has a single integer type. */
function narrow({ dtype, shape }: TensorType): TensorType {
  return { dtype: dtype === 'int64' ? 'int32' : dtype, shape };
}

/** Outputs and named layers of the network for its feeds. */
export function forward(
  network: Network,
  feeds: Tensors,
  { training, layers }: { readonly training: boolean; readonly layers: readonly string[] },
): Forwarded {
  const inputs = Object.fromEntries(Object.keys(network.inputs).map((name) => [name, feeds[feedOf(network, name)]!]));
  const hyper = Object.fromEntries(network.hyper.map((name) => [name, feeds[`hyper/${name}`] as tf.Scalar]));
  return network.forward(inputs, { training, layers, ...(training && { hyper }) });
}

/** Input of a loss, in rows. `rest` is in samples: answers and targets [batch, width], weights [batch]. */
export function lossInput(
  loss: Loss,
  task: Task,
  feeds: Tensors,
  rest: Pick<LossInput, 'studentLogits' | 'targets' | 'weights' | 'studentFeatures' | 'strong'>,
): LossInput {
  const hyper = Object.fromEntries(Object.keys(loss.hyper).map((name) => [name, feeds[`hyper/${name}`] as tf.Scalar]));
  const { of, targets, weights } = rowsOfBatch(task, rest.targets);
  const partial = feeds.hasLabel && partialOf(feeds, rest.weights, hyper['alpha']!);
  const strong = rest.strong;
  const answers = feeds.teacherLogits as tf.Tensor2D;
  const taught = answers?.shape[1] === task.width ? undefined : task.taught;
  return {
    studentLogits: of(rest.studentLogits),
    targets: targets(rest.studentLogits),
    weights: weights(partial?.soft ?? rest.weights),
    samples: partial?.soft ?? rest.weights,
    ...(partial && { partial: { ...partial, labels: weights(partial.labels) } }),
    ...(strong && { strong: { studentLogits: of(strong.studentLogits), teacherLogits: of(strong.teacherLogits) } }),
    studentFeatures: rest.studentFeatures,
    task: taught === undefined ? task : { ...task, divergence: taught.divergence },
    ...(loss.reads === 'rows' ? { rows: feeds.rows as tf.Tensor1D } : {}),
    ...(feeds.teacherLogits === undefined
      ? {}
      : { teacherLogits: taught?.rows(answers, rest.studentLogits) ?? of(task.forLoss(answers)) }),
    teacherFeatures: Object.fromEntries(loss.features.map(({ teacher }) => [teacher, feeds[`teacher/${teacher}`]!])),
    hyper,
  };
}

/** Gradients by state name: `tf.variableGrads` uses tfjs' variable names. */
export function byStateName(variables: Variables, gradients: tf.NamedTensorMap): Record<string, tf.Tensor> {
  const found = Object.entries(variables).flatMap(([name, variable]): [string, tf.Tensor][] => {
    const gradient = gradients[variable.name];
    return gradient === undefined ? [] : [[name, gradient]];
  });
  return Object.fromEntries(found);
}

export function floats(shape: readonly number[]): TensorType {
  return { dtype: 'float32', shape };
}
