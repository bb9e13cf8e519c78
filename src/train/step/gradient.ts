import * as tf from '@tensorflow/tfjs-core';
import type { TensorType } from '../../graph/types.ts';
import type { Network, Tensors } from '../../networks/network.ts';
import type { StepProgram } from '../../trace/program.ts';
import { byStateName, differentiated, floats, lossFeeds, trainingState, update, updateFeeds } from './step.ts';
import type { TrainingOptions } from './step.ts';
import { isSum } from '../evaluate/totals.ts';

/**
 * A training step in two programs, so that the gradients of several parts of a batch can be added up between them:
 *
 *     part 1 ─► gradientProgram ─┐
 *     part 2 ─► gradientProgram ─┼─► merge (gradient-sum.ts) ─► updateProgram ─► variables
 *     part 3 ─► gradientProgram ─┘
 *
 * Losses are weighted means, so the loss of the batch is the sum of the losses of its parts, each times its share of the weight.
 */

/** Prefix of a result that is a variable's gradient, before the state name. The gradient still includes the loss scale. */
const GRADIENT = 'gradient/';
/** Prefix of a result that is the change of an observed mean, times the part's share of the samples. */
export const MOVED = 'moved/';
/** Prefixes of results that are observed minima and maxima. */
export const EXTREME = { lowest: 'lowest/', highest: 'highest/' } as const;

/**
 * Forward and backward pass of a part of a batch. It changes no variable: observed statistics are results, so that all parts see the same state.
 * Feeds: those of `lossFeeds`, `share` (the part's share of the weight of the batch) and `samples` (its share of the samples). Results: those of a
 * training step, losses times `share`, and the feeds of the update.
 */
export function gradientProgram(options: TrainingOptions): StepProgram {
  const { network, loss, lossScale, peer } = options;
  return {
    feeds: { ...lossFeeds(options), share: floats([]), samples: floats([]) },
    state: { ...network.state, ...peer?.state, ...loss.variables, ...lossScale?.variables },
    run: (feeds) => {
      const observed = observing(network, feeds.samples!);
      const share = feeds.share as tf.Scalar;
      const { results, gradients } = differentiated(options, feeds, (loss) => tf.mul(loss, share));
      return {
        ...mapped(results, (name, value) => (isSum(name) ? value : tf.mul(value, share))),
        ...renamed(gradients, (name) => `${GRADIENT}${name}`),
        ...observed(),
      };
    },
  };
}

/** Update of a step from the sums over its parts, whose types are `parts`. */
export function updateProgram(options: TrainingOptions, parts: StepProgram['feeds']): StepProgram {
  const { network, loss } = options;
  return {
    feeds: { ...parts, ...updateFeeds(options) },
    state: trainingState(options),
    run: (feeds) => {
      for (const [name, variable] of Object.entries(network.state)) {
        const [moved, end] = [
          feeds[`${MOVED}${name}`],
          feeds[`${EXTREME[network.extremes?.[name] ?? 'lowest']}${name}`],
        ];
        if (moved !== undefined) variable.assign(tf.add(variable, moved));
        if (end !== undefined) variable.assign(end);
      }
      const gradients = Object.keys({ ...network.trainable, ...loss.variables }).flatMap(
        (name): [string, tf.Tensor][] => {
          const gradient = feeds[`${GRADIENT}${name}`];
          return gradient === undefined ? [] : [[name, gradient]];
        },
      );
      update(options, withPenalties(options, Object.fromEntries(gradients)), feeds);
      return {};
    },
  };
}

/** True for a part's result that is a variable's gradient. */
export function isGradient(name: string): boolean {
  return name.startsWith(GRADIENT);
}

/** True for a part's result that is fed to the update; the other results are figures. */
export function isForUpdate(name: string): boolean {
  return [GRADIENT, MOVED, ...Object.values(EXTREME)].some((prefix) => name.startsWith(prefix));
}

/** Adds the gradients of the regularizers, which depend on the weights alone and count once in a step. */
function withPenalties({ network, lossScale }: TrainingOptions, gradients: Tensors): Tensors {
  if (network.penalties().length === 0) return gradients;
  const { grads } = tf.variableGrads(() => {
    const sum = network.penalties().reduce((all, one) => tf.add<tf.Scalar>(all, one));
    return lossScale === undefined ? sum : lossScale.scaled(sum);
  }, Object.values(network.trainable));
  const added = byStateName(network.trainable, grads);
  return {
    ...added,
    ...mapped(gradients, (name, value) => (added[name] === undefined ? value : tf.add(value, added[name]))),
  };
}

/** Starts to record changes of untrained variables; the returned function gives the changes since, and undoes them. */
function observing({ state, trainable, extremes = {} }: Network, samples: tf.Tensor): () => Record<string, tf.Tensor> {
  const before = Object.entries(state)
    .filter(([name]) => trainable[name] === undefined)
    .map(([name, variable]) => ({ name, variable, id: variable.dataId, old: variable.clone() }));
  return () => {
    const moved = before.filter(({ variable, id }) => variable.dataId !== id);
    const results = moved.map(({ name, variable, old }): [string, tf.Tensor] => {
      const end = extremes[name];
      return end === undefined
        ? [`${MOVED}${name}`, tf.mul(tf.sub(variable, old), samples)]
        : [`${EXTREME[end]}${name}`, tf.clone(variable)];
    });
    for (const { variable, old } of moved) variable.assign(old);
    return Object.fromEntries(results);
  };
}

function mapped(tensors: Tensors, map: (name: string, value: tf.Tensor) => tf.Tensor): Record<string, tf.Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, value]) => [name, map(name, value)]));
}

function renamed(tensors: Tensors, rename: (name: string) => string): Record<string, tf.Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, value]) => [rename(name), value]));
}

/** Types of the results that are fed to the update. */
export function updateParts(outputs: ReadonlyMap<string, TensorType>): StepProgram['feeds'] {
  return Object.fromEntries([...outputs].filter(([name]) => isForUpdate(name)));
}
