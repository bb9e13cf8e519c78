import * as tf from '@tensorflow/tfjs-core';
import type { LossInput } from '../../train/step/loss.ts';
import { divergence, mixed, teacherLogits, weightedMean } from './common.ts';
import type { LossDefinition } from './define.ts';

/**
 * Fang et al. 2021, "SEED: self-supervised distillation for visual representation", equations 3 to 6. D holds vectors of the teacher: those of the batch,
 * the sample's own among them, and the latest ones of earlier batches (`queue`).
 *
 *   L = α · KL(softmax(D t / τ_t) ‖ softmax(D s / τ)) + (1 - α) · label loss
 *
 * The paper has cross-entropy, which differs by the entropy of the teacher. Rows of several groups are compared group by group, each with its own D.
 */
export const similarity: LossDefinition = {
  needs: 'logits',
  build: (name, { hyper, answers = { width: 0, groups: 1 } }) => {
    const { width, groups } = answers;
    const length = hyper['queue']!;
    const queue = length > 0 ? tf.variable(tf.zeros<tf.Rank.R3>([groups, length, width])) : undefined;
    return {
      name,
      needs: 'logits',
      hyper,
      features: [],
      variables: {},
      ...(queue && { memory: { [QUEUE]: queue } }),
      compute: (input) => {
        const [student, teacher] = [input.studentLogits, teacherLogits(input)].map((rows) => grouped(rows, groups));
        const compared = queue === undefined ? teacher! : tf.concat<tf.Tensor3D>([teacher!, queue], 1);
        const rows = tf.reshape<tf.Rank.R1>(
          divergence(
            likenesses(teacher!, compared, input, 'teacherTemperature'),
            likenesses(student!, compared, input, 'temperature'),
          ),
          [-1],
        );
        if (queue !== undefined)
          queue.assign(tf.slice(tf.concat<tf.Tensor3D>([teacher!, queue], 1), [0, 0, 0], [groups, length, width]));
        return mixed(name, input, weightedMean(rows, input.weights));
      },
    };
  },
};

/** State name of the queue, [groups, queue, width]: the latest vectors first; places that no vector has filled yet hold zeros. */
const QUEUE = 'similarity/queue';

/** Added to the likeness to a place of the queue that is still empty. */
const OUT = -1e9;

function grouped(rows: tf.Tensor2D, groups: number): tf.Tensor3D {
  return tf.reshape(rows, [groups, rows.shape[0] / groups, rows.shape[1]]);
}

/** Logarithms of the shares of the compared vectors [groups, n, width] in each row: [groups, batch, n]. */
function likenesses(rows: tf.Tensor3D, compared: tf.Tensor3D, { hyper }: LossInput, temperature: string): tf.Tensor {
  const isEmpty = tf.sub(1, tf.step(tf.sum(tf.square(compared), -1)));
  const products = tf.div(tf.matMul(rows, compared, false, true), hyper[temperature]!);
  return tf.logSoftmax(tf.add(products, tf.expandDims(tf.mul(isEmpty, OUT), 1)));
}
