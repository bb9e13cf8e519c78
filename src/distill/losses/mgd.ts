import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.ts';
import { uniformFeed } from '../../trace/random.ts';
import type { FeaturePair } from '../../train/step/loss.ts';
import { weightedMean } from './common.ts';
import { checkSizes, featureLoss, isFeatureMap } from './features.ts';
import { normals, projected, projectorIfNeeded, stateName } from './projector.ts';

/**
 * Yang et al. 2022 (ECCV), "Masked generative distillation", equations 3 to 5; for classification, which masks whole channels.
 *
 *   distance = Σ (F_t - G(M · r(F_s)))²,   M: 0 for a random share of the channels of each sample, else 1
 *
 * G is a learned block of two 3×3 convolutions with ReLU between them, r a learned 1×1 convolution if the numbers of
 * channels differ. The masks are random feeds: a resumed run sees the same masks.
 */
export const mgd = featureLoss({
  check: (loss, pair) => {
    checkPicture(loss, pair);
    checkSizes(loss, pair);
  },
  variables: (pair, seed) => {
    const channels = pair.teacherShape.at(-1)!;
    const block = ['first', 'second'].flatMap((part, i): [string, tf.Variable][] => {
      const kernel = stateName('mgd', pair, `${part}/kernel`);
      const deviation = Math.sqrt((i === 0 ? 2 : 1) / (9 * channels));
      return [
        [kernel, normals(kernel, [3, 3, channels, channels], deviation, seed)],
        [stateName('mgd', pair, `${part}/bias`), tf.variable(tf.zeros([channels]))],
      ];
    });
    return { ...projectorIfNeeded('mgd', pair, seed), ...Object.fromEntries(block) };
  },
  distance: (pair, input, variables) => {
    const { student, teacher } = projected('mgd', pair, input, variables);
    const [batch, channels] = [teacher.shape[0], teacher.shape.at(-1)!];
    const kept = tf.greaterEqual(uniformFeed([batch, 1, 1, channels]), input.hyper['maskRatio']!);
    const masked = tf.mul<tf.Tensor4D>(student, tf.cast(kept, 'float32'));
    const convolved = (x: tf.Tensor4D, part: string): tf.Tensor4D => {
      const kernel = variables[stateName('mgd', pair, `${part}/kernel`)] as tf.Variable<tf.Rank.R4>;
      return tf.add(tf.conv2d(x, kernel, 1, 'same'), variables[stateName('mgd', pair, `${part}/bias`)]!);
    };
    const generated = convolved(tf.relu(convolved(masked, 'first')), 'second');
    return weightedMean(tf.sum(tf.squaredDifference(generated, teacher), [1, 2, 3]), input.weights);
  },
});

function checkPicture(loss: string, { student, studentShape }: FeaturePair): void {
  if (isFeatureMap(studentShape)) return;
  throw new UserError(
    `distill.loss: ${loss} generates pictures, and ${student} [${studentShape.join(', ')}] of the student is none`,
    'Pair layers whose tensors are [height, width, channels].',
  );
}
