import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.ts';
import type { FeaturePair, LossInput } from '../../train/step/loss.ts';
import { shares, weightedMean } from './common.ts';
import { jointLoss, perSample } from './features.ts';
import { normals, stateName } from './projector.ts';

type Variables = Readonly<Record<string, tf.Variable>>;

/**
 * Chen et al. 2021 (CVPR), "Distilling knowledge via knowledge review", section 3: attention-based fusion (ABF) and hierarchical
 * context loss (HCL), as in the authors' code.
 *
 *   distance = Σ_i HCL(c_i(r_i), F_t,i),   r_i = a · n_i(F_s,i) + b · r_(i+1),   (a, b) = sigmoid(1×1 convolution of both)
 *
 * Computed from the last pair to the first; the last r is n(F_s). n: 1×1 convolution and batch norm; c: 3×3 convolution and batch norm;
 * r_(i+1) is resized to the student's tensor, r_i to the teacher's, by nearest neighbour. HCL: the mean squares between
 * the tensors and between their averages over 4×4, 2×2 and 1×1 windows, with the weights 1, ½, ¼, ⅛ divided by their sum. All layers are trained
 * with the student, and the norms use the statistics of the batch.
 */
export const reviewkd = jointLoss({
  check: ({ name, pairs }) => pairs.forEach((pair) => checkPictures(name, pair)),
  variables: ({ pairs, seed }) => {
    const middle = Math.min(MOST_CHANNELS, pairs.at(-1)!.studentShape.at(-1)!);
    return Object.assign({}, ...pairs.map((pair, i) => fusion(pair, middle, i < pairs.length - 1, seed))) as Variables;
  },
  distance: ({ pairs }, input, variables) => {
    const distances: tf.Scalar[] = [];
    let residual: tf.Tensor4D | undefined;
    for (const pair of pairs.toReversed()) {
      const [result, next] = fused(pair, residual, input, variables);
      residual = next;
      distances.push(hierarchical(result, picture(input.teacherFeatures[pair.teacher]!), input.weights));
    }
    return tf.addN(distances);
  },
});

/** Maximum number of channels of the tensor that is passed from pair to pair, as in the authors' code. */
const MOST_CHANNELS = 512;

function checkPictures(loss: string, { student, teacher, studentShape, teacherShape }: FeaturePair): void {
  for (const [of, name, shape] of [
    ['student', student, studentShape],
    ['teacher', teacher, teacherShape],
  ] as const) {
    if (shape.length === 3 || shape.length === 1) continue;
    throw new UserError(
      `distill.loss: ${loss} fuses pictures or vectors, and ${name} [${shape.join(', ')}] of the ${of} is neither`,
      'Pair layers whose tensors are [height, width, channels] or [channels].',
    );
  }
}

function fusion(pair: FeaturePair, middle: number, hasResidual: boolean, seed: number): Variables {
  const [from, to] = [pair.studentShape.at(-1)!, pair.teacherShape.at(-1)!];
  const drawn = (part: string, shape: number[]): [string, tf.Variable] => {
    const name = stateName('reviewkd', pair, part);
    const inputs = shape.slice(0, -1).reduce((product, size) => product * size, 1);
    return [name, normals(name, shape, Math.sqrt(1 / inputs), seed)];
  };
  const norm = (part: string, channels: number): [string, tf.Variable][] => [
    [stateName('reviewkd', pair, `${part}/scale`), tf.variable(tf.ones([channels]))],
    [stateName('reviewkd', pair, `${part}/offset`), tf.variable(tf.zeros([channels]))],
  ];
  return Object.fromEntries([
    drawn('in/kernel', [1, 1, from, middle]),
    ...norm('in', middle),
    ...(hasResidual
      ? [
          drawn('shares/kernel', [1, 1, 2 * middle, 2]),
          [stateName('reviewkd', pair, 'shares/bias'), tf.variable(tf.zeros([2]))] as [string, tf.Variable],
        ]
      : []),
    drawn('out/kernel', [3, 3, middle, to]),
    ...norm('out', to),
  ]);
}

/** Two tensors: the first is compared with the teacher's, the second is passed on to the pair before. */
function fused(
  pair: FeaturePair,
  residual: tf.Tensor4D | undefined,
  { studentFeatures, weights }: LossInput,
  own: Variables,
): [tf.Tensor4D, tf.Tensor4D] {
  const variableOf = (part: string): tf.Variable => own[stateName('reviewkd', pair, part)]!;
  const kernel = (part: string): tf.Tensor4D => variableOf(`${part}/kernel`) as tf.Tensor as tf.Tensor4D;
  const normed = (x: tf.Tensor4D, part: string): tf.Tensor4D =>
    tf.add(
      tf.mul(standardized(tf.conv2d(x, kernel(part), 1, 'same'), weights), variableOf(`${part}/scale`)),
      variableOf(`${part}/offset`),
    );
  let carried = normed(picture(studentFeatures[pair.student]!), 'in');
  if (residual !== undefined) {
    const before = resized(residual, sizeOf(pair.studentShape));
    const both = tf.concat([carried, before], 3);
    const share = tf.sigmoid(tf.add(tf.conv2d(both, kernel('shares'), 1, 'same'), variableOf('shares/bias')));
    const [a, b] = tf.split(share, 2, 3) as [tf.Tensor, tf.Tensor];
    carried = tf.add(tf.mul(carried, a), tf.mul(before, b));
  }
  carried = resized(carried, sizeOf(pair.teacherShape));
  return [normed(carried, 'out'), carried];
}

/** Each channel with mean 0 and deviation 1 over the batch, with weights of samples and PyTorch's floor. */
function standardized(x: tf.Tensor4D, weights: tf.Tensor1D): tf.Tensor4D {
  const [, height, width] = x.shape;
  const share = tf.reshape(tf.div(shares(weights), height * width), [-1, 1, 1, 1]);
  const over = (values: tf.Tensor): tf.Tensor => tf.sum(tf.mul(values, share), [0, 1, 2], true);
  const centred = tf.sub(x, over(x));
  return tf.mul(centred, tf.rsqrt(tf.add(over(tf.square(centred)), 1e-5)));
}

const LEVELS = [4, 2, 1];

/** HCL: mean squares at all levels coarser than the tensor. */
function hierarchical(student: tf.Tensor4D, teacher: tf.Tensor4D, weights: tf.Tensor1D): tf.Scalar {
  const squares = (a: tf.Tensor, b: tf.Tensor): tf.Scalar =>
    weightedMean(perSample(tf.squaredDifference(a, b)), weights);
  let [sum, weight, total] = [squares(student, teacher), 1, 1];
  for (const level of LEVELS.filter((size) => size < student.shape[1])) {
    weight /= 2;
    total += weight;
    sum = tf.add(sum, tf.mul(squares(averaged(student, level), averaged(teacher, level)), weight));
  }
  return tf.div(sum, total);
}

/** Averages over `level` × `level` windows, PyTorch's adaptive pooling: [batch, level, level, channels]. */
function averaged(x: tf.Tensor4D, level: number): tf.Tensor {
  const [batch, height, width, channels] = x.shape;
  const rows = tf.matMul(windows(height, level), tf.reshape<tf.Rank.R3>(x, [batch, height, width * channels]));
  const cells = tf.matMul(windows(width, level), tf.reshape<tf.Rank.R3>(rows, [batch * level, width, channels]));
  return tf.reshape(cells, [batch, level, level, channels]);
}

/** [1, level, size] weights of each position in each window; windows reach from ⌊i · size / level⌋ to ⌈(i + 1) · size / level⌉. */
function windows(size: number, level: number): tf.Tensor3D {
  const values = Array.from({ length: level }, (_, i) => {
    const [from, to] = [Math.floor((i * size) / level), Math.ceil(((i + 1) * size) / level)];
    return Array.from({ length: size }, (_place, at) => (at >= from && at < to ? 1 / (to - from) : 0));
  });
  return tf.tensor3d([values]);
}

function resized(x: tf.Tensor4D, size: [number, number]): tf.Tensor4D {
  return x.shape[1] === size[0] && x.shape[2] === size[1] ? x : tf.image.resizeNearestNeighbor(x, size);
}

/** A vector as a picture of one pixel. */
function picture(x: tf.Tensor): tf.Tensor4D {
  return x.rank === 4 ? (x as tf.Tensor4D) : tf.reshape<tf.Rank.R4>(x, [x.shape[0], 1, 1, x.shape[1]!]);
}

function sizeOf(shape: readonly number[]): [number, number] {
  return shape.length === 3 ? [shape[0]!, shape[1]!] : [1, 1];
}
