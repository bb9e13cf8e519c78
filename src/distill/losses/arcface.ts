import * as tf from '@tensorflow/tfjs-core';
import type { Loss } from '../../train/step/loss.ts';
import type { Task } from '../../tasks/task.ts';
import { unitRows } from '../../trace/ops/unit-rows.ts';
import type { LossArgs } from './define.ts';
import { normals } from './projector.ts';

/** State name of the centres of the classes, [groups, classes, width], which no file contains. */
const CENTRES = 'arcface/centres';

/** Factor of the paper on the cosines. */
const SCALE = 64;

/** Smallest square of a sine, whose root has a finite gradient. */
const LEAST = 1e-7;

/**
 * A loss whose label part is that of Deng et al. 2019, "ArcFace: additive angular margin loss for deep face recognition", equation 3, in place of the
 * task's. θ_j is the angle between the vector of a sample and the centre of class j, m the margin, in radians:
 *
 *   L = -ln( exp(s cos(θ_y + m)) / (exp(s cos(θ_y + m)) + Σ_{j ≠ y} exp(s cos θ_j)) )
 *
 * Beyond θ_y = π - m it goes on as cos θ_y - m sin m, as in the authors' code. Groups of rows, of prefixes, have centres of their own.
 */
export function withCentres(loss: Loss, { answers, seed = 0 }: LossArgs): Loss {
  if (answers?.classes === undefined) throw new Error('ArcFace needs the number of classes');
  const { width, groups, classes } = answers;
  const centres = normals(CENTRES, [groups, classes, width], 1 / Math.sqrt(width), seed);
  const label: Task['loss'] = (rows, targets, hyper) => {
    const directions = tf.reshape<tf.Rank.R3>(unitRows(tf.reshape(centres, [-1, width])), [groups, classes, width]);
    const cosines = tf.matMul(tf.reshape<tf.Rank.R3>(rows, [groups, -1, width]), directions, false, true);
    return contrasted(tf.reshape(cosines, [-1, classes]), tf.squeeze<tf.Tensor1D>(targets, [1]), hyper['arcface']!);
  };
  return {
    ...loss,
    variables: { ...loss.variables, [CENTRES]: centres },
    compute: (input) => loss.compute({ ...input, task: { ...input.task, lossName: 'arcface', loss: label } }),
  };
}

/** [rows], from cosines [rows, classes] and the class of each row; 0 for an unknown class, below 0. */
function contrasted(cosines: tf.Tensor2D, labels: tf.Tensor1D, margin: tf.Scalar): tf.Tensor1D {
  const isOwn = tf.oneHot(tf.cast(tf.maximum(labels, 0), 'int32'), cosines.shape[1], 1, 0, 'float32');
  const own = tf.sum(tf.mul(cosines, isOwn), -1, true);
  const sine = tf.sqrt(tf.maximum(tf.sub(1, tf.square(own)), LEAST));
  const [cos, sin] = [tf.cos(margin), tf.sin(margin)];
  const turned = tf.sub(tf.mul(own, cos), tf.mul(sine, sin));
  const beyond = tf.sub(own, tf.mul(margin, sin));
  // 1 where θ + m is below π.
  const isNear = tf.step(tf.add(own, cos));
  const moved = tf.add(beyond, tf.mul(isNear, tf.sub(turned, beyond)));
  const logits = tf.mul(tf.add(cosines, tf.mul(isOwn, tf.sub(moved, own))), SCALE);
  const right = tf.sum(tf.mul(tf.logSoftmax(logits), isOwn), -1);
  return tf.neg(tf.mul(right, tf.cast(tf.greaterEqual(labels, 0), 'float32')));
}
