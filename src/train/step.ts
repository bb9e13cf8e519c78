import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { model as layersModel } from '@tensorflow/tfjs-layers';
import type { TensorType } from '../graph/types.ts';
import { layerOutput, modelVariables } from '../models/info.ts';
import type { StepProgram } from '../trace/program.ts';
import type { Loss, LossInput } from './loss.ts';
import type { LossScale } from './loss-scale.ts';
import type { Optimizer, Tensors, Variables } from './optimizers.ts';

export interface ModelState {
  /** Everything a call of the model reads, by state name. */
  readonly all: Variables;
  readonly trainable: Variables;
}

/** The variables of a model by state name, `prefix` in front. */
export function modelState(model: LayersModel, prefix = ''): ModelState {
  const variables = modelVariables(model);
  const named = (of: typeof variables): Variables =>
    Object.fromEntries(of.map(({ name, variable }) => [`${prefix}${name}`, variable]));
  return { all: named(variables), trainable: named(variables.filter(({ trainable }) => trainable)) };
}

/** State names of the moving average of the weights: those of the model behind this prefix. */
export const EMA_PREFIX = 'ema/';

export interface TrainingOptions {
  /** Gives logits [batch, classes]. */
  readonly model: LayersModel;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly batchSize: number;
  /**
   * `classes`: int32 class indexes are fed as `labels`. `mixup`: also `partners`, positions in the batch, and `lambda`.
   * `soft`: distributions [batch, classes] are fed as `targets`. Default `classes`.
   */
  readonly targets?: 'classes' | 'mixup' | 'soft';
  /**
   * A second model of the same architecture whose variables follow as a moving average (Polyak & Juditsky 1992) with the
   * decay that is fed as `emaDecay`. An evaluation program of it reads the averaged weights.
   */
  readonly ema?: LayersModel;
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
  const { model, loss, optimizer, targets = 'classes', ema, masks = {}, lossScale } = options;
  const state = modelState(model);
  const average = ema === undefined ? {} : modelState(ema, EMA_PREFIX).all;
  const trained = { ...state.trainable, ...loss.variables };
  const forward = withFeatures(
    model,
    loss.features.map(({ student }) => student),
  );
  const classes = classesOf(model);

  function run(feeds: Tensors): Record<string, tf.Tensor> {
    const goal = targetsFrom(feeds, targets, classes);
    const weights = feeds.weights as tf.Tensor1D;
    const results: Record<string, tf.Tensor> = {};
    const { grads } = tf.variableGrads(() => {
      const { logits, features } = forward(feeds.x!, true);
      const input = lossInput(loss, feeds, {
        studentLogits: logits,
        targets: goal,
        weights,
        studentFeatures: features,
      });
      const { loss: value, parts } = loss.compute(input);
      results['loss'] = tf.keep(value.clone());
      for (const [name, part] of Object.entries(parts)) results[`loss/${name}`] = tf.keep(part.clone());
      results['correct'] = tf.keep(correct(logits, goal, weights));
      const whole = model.calculateLosses().reduce<tf.Scalar>((sum, penalty) => tf.add(sum, penalty), value);
      return lossScale === undefined ? whole : lossScale.scaled(whole);
    }, Object.values(trained));
    const gradients = byStateName(trained, grads);
    if (lossScale === undefined) optimizer.apply(gradients, feeds);
    else lossScale.apply(gradients, { ...trained, ...optimizer.slots }, (plain) => optimizer.apply(plain, feeds));
    const masked = (name: string, value: tf.Tensor): tf.Tensor =>
      masks[name] === undefined ? value : tf.mul(value, masks[name]);
    for (const name of Object.keys(masks)) state.all[name]!.assign(masked(name, state.all[name]!));
    for (const [name, variable] of Object.entries(state.all)) {
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
    state: { ...state.all, ...loss.variables, ...optimizer.slots, ...average, ...maskState, ...lossScale?.variables },
    run,
  };
}

/** What every program that computes a loss is fed. */
export function lossFeeds({
  model,
  loss,
  batchSize,
  targets = 'classes',
}: Pick<TrainingOptions, 'model' | 'loss' | 'batchSize' | 'targets'>): StepProgram['feeds'] {
  const classes = classesOf(model);
  return {
    x: inputType(model, batchSize),
    ...targetTypes(targets, batchSize, classes),
    weights: floats([batchSize]),
    ...(loss.needs !== 'labels' ? { teacherLogits: floats([batchSize, classes]) } : {}),
    ...Object.fromEntries(
      loss.features.map(({ teacher, teacherShape }) => [`teacher/${teacher}`, floats([batchSize, ...teacherShape])]),
    ),
    ...Object.fromEntries(Object.keys(loss.hyper).map((name) => [`hyper/${name}`, floats([])])),
  };
}

export interface EvaluationOptions {
  readonly model: LayersModel;
  readonly batchSize: number;
  /** In front of the state names: `EMA_PREFIX` for the averaged model. Default none. */
  readonly prefix?: string;
  /** Hand the logits back too. Default false. */
  readonly logits?: boolean;
}

/**
 * Inference on a batch. Feeds: `x`, `labels` int32 [batch], `weights` [batch]. Results are sums, so that batches add up
 * exactly: `loss` Σ w · cross-entropy, `correct` Σ w · hit, and on demand `logits` [batch, classes].
 */
export function evaluationProgram({
  model,
  batchSize,
  prefix = '',
  logits: wanted = false,
}: EvaluationOptions): StepProgram {
  const classes = classesOf(model);
  const forward = withFeatures(model, []);
  return {
    feeds: {
      x: inputType(model, batchSize),
      labels: { dtype: 'int32', shape: [batchSize] },
      weights: floats([batchSize]),
    },
    state: modelState(model, prefix).all,
    run: (feeds) => {
      const { logits } = forward(feeds.x!, false);
      const targets = targetsFrom(feeds, 'classes', classes);
      const weights = feeds.weights as tf.Tensor1D;
      const entropy = tf.neg(tf.sum(tf.mul(targets, tf.logSoftmax(logits)), -1));
      return {
        loss: tf.sum(tf.mul(entropy, weights)),
        correct: correct(logits, targets, weights),
        ...(wanted ? { logits } : {}),
      };
    },
  };
}

/** Inference without labels: `x` to `logits` and the outputs of the named layers. For teachers and parity checks. */
export function predictionProgram({
  model,
  batchSize,
  features = [],
}: {
  readonly model: LayersModel;
  readonly batchSize: number;
  readonly features?: readonly string[];
}): StepProgram {
  const forward = withFeatures(model, features);
  return {
    feeds: { x: inputType(model, batchSize) },
    state: modelState(model).all,
    run: (feeds) => {
      const { logits, features: named } = forward(feeds.x!, false);
      return { logits, ...named };
    },
  };
}

type Forward = (x: tf.Tensor, training: boolean) => { logits: tf.Tensor2D; features: Record<string, tf.Tensor> };

export function withFeatures(model: LayersModel, names: readonly string[]): Forward {
  if (names.length === 0) {
    return (x, training) => ({ logits: model.apply(asInput(x, model), { training }) as tf.Tensor2D, features: {} });
  }
  const outputs: SymbolicTensor[] = [model.outputs[0]!, ...names.map((name) => layerOutput(model, name))];
  const wide = layersModel({ inputs: model.inputs, outputs });
  return (x, training) => {
    const [logits, ...features] = wide.apply(asInput(x, model), { training }) as tf.Tensor[];
    return {
      logits: logits as tf.Tensor2D,
      features: Object.fromEntries(names.map((name, i) => [name, features[i]!])),
    };
  };
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

export function targetTypes(
  kind: 'classes' | 'mixup' | 'soft',
  batch: number,
  classes: number,
): Record<string, TensorType> {
  if (kind === 'soft') return { targets: floats([batch, classes]) };
  const labels: TensorType = { dtype: 'int32', shape: [batch] };
  return kind === 'classes' ? { labels } : { labels, partners: labels, lambda: floats([batch]) };
}

export function correct(logits: tf.Tensor2D, targets: tf.Tensor2D, weights: tf.Tensor1D): tf.Scalar {
  const hit = tf.cast(tf.equal(tf.argMax(logits, -1), tf.argMax(targets, -1)), 'float32');
  return tf.sum(tf.mul(hit, weights));
}

/**
 * Samples are float32 wherever they are held, fed and shipped. A model of token ids has them cast as its first step: ids are
 * exact up to 2^24, and every file that it is exported to is fed as any other.
 */
function inputType(model: LayersModel, batchSize: number): TensorType {
  return floats([batchSize, ...model.inputs[0]!.shape.slice(1).map(Number)]);
}

function asInput(x: tf.Tensor, { inputs: [input] }: LayersModel): tf.Tensor {
  return input!.dtype === x.dtype ? x : tf.cast(x, input!.dtype);
}

export function classesOf(model: LayersModel): number {
  return model.outputs[0]!.shape.at(-1)!;
}

function floats(shape: readonly number[]): TensorType {
  return { dtype: 'float32', shape };
}
