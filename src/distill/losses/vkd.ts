import * as tf from '@tensorflow/tfjs-core';
import type { FeaturePair } from '../../train/step/loss.ts';
import { smoothL1, weightedMean } from './common.ts';
import { both, featureLoss, pooled } from './features.ts';
import { normals, stateName } from './projector.ts';

/**
 * Miles et al. 2024 (CVPR), "VkD: improving knowledge distillation using orthogonal projections", sections 3.1 and 3.2.
 *
 *   distance = mean smoothL1(z_s P - norm(z_t)),   P with orthonormal rows (columns, if the teacher has fewer channels)
 *
 * z: the mean over all positions; norm: each sample with mean 0 and deviation 1 over its channels, as in the authors' code. P
 * rotates the student's space without contracting it, so that the student learns the teacher's features instead of the projection.
 * P = the first rows and columns of exp(W - Wᵀ), which is a rotation for every W; W is trained with the student.
 */
export const vkd = featureLoss({
  check: () => undefined,
  variables: (pair, seed) => {
    const size = sizeOf(pair);
    const name = stateName('vkd', pair, 'skew');
    return { [name]: normals(name, [size, size], Math.sqrt(1 / size), seed) };
  },
  distance: (pair, input, variables) => {
    const { student, teacher } = both(pair, input);
    const skew = variables[stateName('vkd', pair, 'skew')] as tf.Variable<tf.Rank.R2>;
    const size: [number, number] = [pair.studentShape.at(-1)!, pair.teacherShape.at(-1)!];
    const projection = tf.slice2d(rotation(skew), [0, 0], size);
    const difference = tf.sub(tf.matMul(pooled(student), projection), normalized(pooled(teacher)));
    return weightedMean(tf.mean(smoothL1(difference), -1), input.weights);
  },
});

const sizeOf = ({ studentShape, teacherShape }: FeaturePair): number =>
  Math.max(studentShape.at(-1)!, teacherShape.at(-1)!);

/** Layer normalization without scale and offset, with PyTorch's floor. */
function normalized(rows: tf.Tensor2D): tf.Tensor2D {
  const centred = tf.sub(rows, tf.mean(rows, -1, true));
  return tf.mul(centred, tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), 1e-5)));
}

/** Number of squarings from exp(A / 2^n) to exp(A), and terms of the series: exact to float32 for ‖A‖ below 64. */
const [SQUARINGS, TERMS] = [6, 9];

/** exp(W - Wᵀ), by scaling and squaring (Higham 2008, "Functions of matrices", section 10.3). */
function rotation(weight: tf.Tensor2D): tf.Tensor2D {
  const scaled = tf.mul<tf.Tensor2D>(tf.sub(weight, tf.transpose(weight)), 2 ** -SQUARINGS);
  const unitMatrix = tf.tensor2d(identity(weight.shape[0]), weight.shape);
  // Horner: 1 + A (1 + A/2 (1 + A/3 (…))).
  let sum = unitMatrix;
  for (let term = TERMS; term > 0; term--) sum = tf.add(unitMatrix, tf.matMul(scaled, tf.div<tf.Tensor2D>(sum, term)));
  for (let i = 0; i < SQUARINGS; i++) sum = tf.matMul(sum, sum);
  return sum;
}

function identity(size: number): Float32Array {
  return Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
}
