import * as tf from '@tensorflow/tfjs-core';
import { generalizedLoss, sides } from './overlap.ts';

/** Weights of the parts of the loss of boxes, beside that of class scores, as in Carion et al. 2020, "DETR". */
const OVERLAP_WEIGHT = 2;
const DISTANCE_WEIGHT = 5;

/**
 * Loss of each point, [rows]: binary cross-entropy of the class scores with soft targets, and for points that learn a box 1 - GIoU and the absolute
 * differences of its sides (shares of the picture), weighed by the largest target score. answers [rows, 4 + classes]; targets
 * [rows, 4 + classes + 1], of which the last number multiplies the loss.
 */
export function pointLoss(answers: tf.Tensor2D, targets: tf.Tensor2D): tf.Tensor1D {
  const classes = answers.shape[1] - 4;
  const scores = part(targets, 4, classes);
  const loss = tf.add(
    tf.sum(binaryCrossEntropy(part(answers, 4, classes), scores), -1),
    tf.mul(boxLoss(answers, targets), tf.max(scores, -1)),
  );
  return tf.mul(loss, tf.reshape(part(targets, 4 + classes, 1), [-1]));
}

/**
 * Divergence of a student's answers from a teacher's at a temperature, [rows]: of class scores the binary cross-entropy above that of the teacher with
 * itself, of boxes their loss, weighed by the teacher's largest score. Each sample counts in proportion to `points` over the sum of these scores.
 */
export function pointDivergence(
  teacher: tf.Tensor2D,
  student: tf.Tensor2D,
  temperature: tf.Scalar,
  points: number,
): tf.Tensor1D {
  const classes = teacher.shape[1] - 4;
  const logits = (of: tf.Tensor2D): tf.Tensor2D => tf.div(part(of, 4, classes), temperature);
  const given = tf.sigmoid(logits(teacher));
  const apart = tf.sub(binaryCrossEntropy(logits(student), given), binaryCrossEntropy(logits(teacher), given));
  const sure = largestScores(teacher);
  // At a temperature the gradient of scores shrinks by its square, which the loss puts back; that of boxes does not.
  const boxes = tf.div(tf.mul(boxLoss(student, teacher), sure), tf.square(temperature));
  const each = tf.reshape(tf.add(tf.sum(apart, -1), boxes), [-1, points]);
  const norm = tf.maximum(tf.sum(tf.reshape(sure, [-1, points]), 1, true), 1);
  return tf.reshape(tf.div(tf.mul(each, points), norm), [-1]);
}

/** Largest class probability of each point, [rows]; answers [rows, 4 + classes]. */
export function largestScores(answers: tf.Tensor2D): tf.Tensor1D {
  return tf.max(tf.sigmoid(part(answers, 4, answers.shape[1] - 4)), -1);
}

/** [rows] */
function boxLoss(answers: tf.Tensor2D, targets: tf.Tensor2D): tf.Tensor1D {
  const [a, b] = [part(answers, 0, 4), part(targets, 0, 4)];
  const apart = tf.reshape(generalizedLoss(sides(a, 'rows'), sides(b, 'rows')), [-1]);
  const distance = tf.sum(tf.abs(tf.sub(a, b)), -1);
  return tf.add(tf.mul(apart, OVERLAP_WEIGHT), tf.mul(distance, DISTANCE_WEIGHT));
}

/** -(z log p + (1 - z) log(1 - p)) for p = sigmoid(logit), finite for any finite logit: softplus(x) - x z. */
function binaryCrossEntropy(logits: tf.Tensor, targets: tf.Tensor): tf.Tensor {
  return tf.add(tf.sub(tf.relu(logits), tf.mul(logits, targets)), tf.log1p(tf.exp(tf.neg(tf.abs(logits)))));
}

function part(values: tf.Tensor2D, from: number, size: number): tf.Tensor2D {
  return tf.slice(values, [0, from], [-1, size]);
}
