import * as tf from '@tensorflow/tfjs-core';
import { mixed, teacherLogits, weightedMean } from './common.ts';
import { channelDivergence } from './cwd.ts';
import { logitLoss } from './define.ts';

/**
 * Shu et al. 2021 (ICCV), "Channel-wise knowledge distillation for dense prediction", on the logits, which are a map for each class: see `cwd`.
 *
 *   L = α · τ² · mean over classes of KL(φ(t) ‖ φ(s)) + (1 - α) · CE(s, y)
 */
export const cwdLogits = logitLoss({
  needs: 'logits',
  compute: (input) => {
    const { samples, studentLogits, hyper } = input;
    if (samples === undefined) throw new Error('this loss needs samples of several rows');
    const mapsOf = (rows: tf.Tensor2D): tf.Tensor => tf.reshape(rows, [samples.shape[0], -1, rows.shape[1]]);
    const [student, teacher] = [mapsOf(studentLogits), mapsOf(teacherLogits(input))];
    const each = channelDivergence(student, teacher, hyper['temperature']!);
    return mixed('cwd-logits', input, weightedMean(each, samples));
  },
});
