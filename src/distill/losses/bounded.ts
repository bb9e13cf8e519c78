import * as tf from '@tensorflow/tfjs-core';
import { labelLoss, teacherLogits, weightedMean } from './common.ts';
import { logitLoss } from './define.ts';

/**
 * Chen et al. 2017, "Learning efficient object detection models with knowledge distillation", equation 5: the teacher is not a target but a bound. A
 * student whose error is not below the teacher's by the margin pays its own error once more.
 *
 * L = label loss(s, y) + ν · L_b, L_b = |s - y|² if |s - y|² + m > |t - y|², else 0
 *
 * Errors are means over the numbers of a sample, in deviations of the labels. So a teacher that is wrong about a sample does no harm.
 */
export const bounded = logitLoss({
  needs: 'logits',
  compute: (input) => {
    const { studentLogits, targets, weights, hyper } = input;
    const [student, teacher] = [error(studentLogits, targets), error(teacherLogits(input), targets)];
    // Step function: unlike a comparison it has a gradient in tfjs, which is zero.
    const isWorse = tf.step(tf.sub(tf.add(student, hyper['margin']!), teacher));
    const bound = weightedMean(tf.mul(student, isWorse), weights);
    const label = labelLoss(input);
    return {
      loss: tf.add(label, tf.mul(bound, hyper['boundWeight']!)),
      parts: { [input.task.lossName]: label, bound },
    };
  },
});

/** Mean squared error of each sample, [batch]. */
function error(answers: tf.Tensor2D, targets: tf.Tensor2D): tf.Tensor1D {
  return tf.mean(tf.squaredDifference(answers, targets), -1);
}
