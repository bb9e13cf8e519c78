import * as tf from '@tensorflow/tfjs-core';
import { joinedOutputs } from './step/joined-outputs.ts';
import type { StepProgram } from '../trace/program.ts';
import type { TrainingOptions } from './step/step.ts';
import { byStateName, forward, lossFeeds, lossInput } from './step/step.ts';

/**
 * Gradient times weight of every trainable variable for a batch, by state name, in inference mode: the first-order estimate of how removing a weight
 * changes the loss. Feeds: those of a training step without the optimizer's scalars.
 */
export function saliencyProgram(
  options: Pick<TrainingOptions, 'network' | 'task' | 'loss' | 'batchSize' | 'mix' | 'partial' | 'teacherWidth'>,
): StepProgram {
  const { network, task, loss, mix = 'none' } = options;
  const { state, trainable } = network;
  const layers = loss.features.map(({ student }) => student);
  return {
    feeds: lossFeeds(options),
    state: { ...state, ...loss.variables },
    run: (feeds) => {
      const goal = task.targets(feeds, mix);
      const { grads } = tf.variableGrads(() => {
        const { outputs, layers: inner } = forward(network, feeds, { training: false, layers });
        const weights = feeds.weights as tf.Tensor1D;
        return loss.compute(
          lossInput(loss, task, feeds, {
            studentLogits: task.forLoss(joinedOutputs(outputs, task.fields)),
            targets: goal,
            weights,
            studentFeatures: inner,
          }),
        ).loss;
      }, Object.values(trainable));
      const gradients = Object.entries(byStateName(trainable, grads));
      return Object.fromEntries(gradients.map(([name, gradient]) => [name, tf.mul(gradient, trainable[name]!)]));
    },
  };
}
