import * as tf from '@tensorflow/tfjs-core';
import { labelLoss, teacherLogits } from './common.ts';
import { logitLoss } from './define.ts';
import { softened } from './kd.ts';

/**
 * Zhang et al. 2018 (CVPR), "Deep mutual learning", equations 4 to 6, for either of two students; p: the other student's answers.
 *
 * L = CE(s, y) + w · T² · KL(softmax(p/T) ‖ softmax(s/T))
 *
 * The paper has w = 1 and T = 1. The order of the steps, its algorithm 1, is in src/train/parallel/in-turn.ts; p is a constant, see
 * src/train/step.ts.
 */
export const mutual = logitLoss({
  needs: 'logits',
  compute: (input) => {
    const label = labelLoss(input);
    const peer = softened(input, input.studentLogits, teacherLogits(input));
    const loss: tf.Scalar = tf.add(label, tf.mul(peer, input.hyper['peerWeight']!));
    return { loss, parts: { [input.task.lossName]: label, kl: peer } };
  },
});
