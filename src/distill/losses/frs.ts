import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.ts';
import { teacherLogits, weightedMean } from './common.ts';
import { checkSizes, featureLoss } from './features.ts';
import { projected, projector } from './projector.ts';

/**
 * Du et al. 2021 (NeurIPS), "Distilling object detectors with feature richness", equations 1 to 3, each picture by itself.
 *
 *   distance = Σ S · mean over channels of (r(F_s) - F_t)² / max(Σ S, 1)
 *
 * The sums are over the places of a level of the pyramid, S is the teacher's largest class probability at a place, and r a learned 1×1 convolution
 * from the student's channels to the teacher's. `UserError` for a tensor of another size than the levels.
 */
export const frs = featureLoss({
  check: checkSizes,
  variables: (pair, seed) => projector('frs', pair, seed),
  distance: (pair, input, variables) => {
    const { student, teacher } = projected('frs', pair, input, variables);
    const [, ...size] = teacher.shape;
    const maps = input.task.scoreMaps?.(teacherLogits(input)) ?? [];
    const scores = maps.find(({ shape: [, height, width] }) => height === size[0] && width === size[1]);
    if (scores === undefined)
      throw new UserError(
        `distill.loss: frs compares tensors of the size of a level, ${maps.map(({ shape }) => shape.slice(1).join('×')).join(', ')}, received ${pair.teacher} [${size.join(', ')}] of the teacher and ${pair.student} [${pair.studentShape.join(', ')}] of the student`,
        'Pair layers of the feature pyramids.',
      );
    const apart = tf.mean(tf.squaredDifference(student, teacher), -1);
    const sum = (values: tf.Tensor): tf.Tensor1D => tf.sum(values, [1, 2]);
    const each = tf.div(sum(tf.mul(apart, scores)), tf.maximum(sum(scores), 1));
    return weightedMean(each, input.weights);
  },
});
