import * as tf from '@tensorflow/tfjs-core';
import type { StepProgram } from '../trace/program.ts';
import type { TrainingOptions } from './step.ts';
import { byStateName, classesOf, lossFeeds, lossInput, modelState, targetsFrom, withFeatures } from './step.ts';

/**
 * Gradient times weight of every trainable variable for a batch, by state name, in inference mode: what removing a weight
 * would change the loss by, to the first order. Fed as a training step is, without the optimizer's scalars.
 */
export function saliencyProgram(
  options: Pick<TrainingOptions, 'model' | 'loss' | 'batchSize' | 'targets'>,
): StepProgram {
  const { model, loss, targets = 'classes' } = options;
  const { all, trainable } = modelState(model);
  const layers = loss.features.map(({ student }) => student);
  const forward = withFeatures(model, layers);
  return {
    feeds: lossFeeds(options),
    state: { ...all, ...loss.variables },
    run: (feeds) => {
      const goal = targetsFrom(feeds, targets, classesOf(model));
      const { grads } = tf.variableGrads(() => {
        const { logits, features } = forward(feeds.x!, false);
        const weights = feeds.weights as tf.Tensor1D;
        return loss.compute(
          lossInput(loss, feeds, { studentLogits: logits, targets: goal, weights, studentFeatures: features }),
        ).loss;
      }, Object.values(trainable));
      const gradients = Object.entries(byStateName(trainable, grads));
      return Object.fromEntries(gradients.map(([name, gradient]) => [name, tf.mul(gradient, trainable[name]!)]));
    },
  };
}
