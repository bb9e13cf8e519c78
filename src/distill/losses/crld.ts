import * as tf from '@tensorflow/tfjs-core';
import type { LossInput } from '../../train/step/loss.ts';
import { labelLoss, mixed, teacherLogits, weightedMean } from './common.ts';
import { logitLoss } from './define.ts';

/**
 * Zhang et al. 2024 (ACM MM), "Cross-view consistency regularisation for knowledge distillation" (CRLD), as in the authors' code.
 *
 *   L = α · (w · WV + c · CV) + (1 - α) · (CE(s, y) + CE(s', y))
 *   WV = T² · m · (KL(t ‖ s) + KL(t' ‖ s')),   CV = T² · m' · (KL(t ‖ s') + KL(t' ‖ s)),   KL of answers softened by T
 *
 * s, t: the answers of student and teacher to the samples; s', t': to a strongly augmented view of them. m: 1 if the teacher's class has at least the
 * probability `within` in the plain view, else 0; m': at least `across` in the strong view. The authors' loss is twice this at α = ½.
 */
export const crld = logitLoss({
  needs: 'logits',
  reads: 'strong',
  compute: (input) => {
    const strong = input.strong!;
    const [student, teacher] = [input.studentLogits, teacherLogits(input)];
    const { hyper, weights } = input;
    const kept = (logits: tf.Tensor2D, least: tf.Scalar): tf.Tensor =>
      tf.cast(tf.greaterEqual(tf.max(tf.softmax(logits), -1), least), 'float32');
    const within = tf.add(apart(input, teacher, student), apart(input, strong.teacherLogits, strong.studentLogits));
    const across = tf.add(apart(input, teacher, strong.studentLogits), apart(input, strong.teacherLogits, student));
    const sum = tf.add(
      tf.mul(tf.mul(within, kept(teacher, hyper['within']!)), hyper['withinWeight']!),
      tf.mul(tf.mul(across, kept(strong.teacherLogits, hyper['across']!)), hyper['acrossWeight']!),
    );
    const soft = tf.mul<tf.Scalar>(weightedMean(sum, weights), tf.square(hyper['temperature']!));
    const label = tf.add<tf.Scalar>(labelLoss(input), labelLoss({ ...input, studentLogits: strong.studentLogits }));
    return mixed('crld', input, soft, label);
  },
});

/** KL divergence of the softened answers of each sample, [batch]. */
function apart({ task, hyper }: LossInput, teacher: tf.Tensor2D, student: tf.Tensor2D): tf.Tensor {
  if (task.divergence === undefined) throw new Error('this loss is of tasks with a temperature');
  return task.divergence(teacher, student, hyper['temperature']!);
}
