import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../base/random.ts';
import type { FeaturePair, LossInput } from '../../train/loss.ts';
import { mixed, teacherLogits, weightedMean } from './common.ts';
import type { LossDefinition } from './define.ts';
import { aligned, checkSizes, perSample, requireFeatures } from './features.ts';
import { softened } from './kd.ts';

/**
 * Romero et al. 2015, "FitNets: hints for thin deep nets", equation 3, in one stage with KD instead of two after one another.
 *
 *   L = b · Σ_pairs mean (r(F_s) - F_t)² + α · T² · KL(…) + (1 - α) · CE(s, y)
 *
 * r is a learned 1×1 convolution from the student's channels to the teacher's; it is trained along and thrown away.
 */
export const hint: LossDefinition = {
  needs: 'features',
  build: (name, { hyper, seed = 0, ...args }) => {
    const features = requireFeatures(name, args.features);
    features.forEach((pair) => checkSizes(name, pair));
    const variables: Record<string, tf.Variable> = {};
    for (const pair of features) Object.assign(variables, regressor(pair, seed));
    return {
      name,
      needs: 'features',
      hyper,
      features,
      variables,
      compute: (input) => {
        const hints = features.map((pair) => distance(pair, input, variables));
        const { loss, parts } = mixed('kd', input, softened(input, input.studentLogits, teacherLogits(input)));
        const sum = tf.addN(hints);
        return { loss: tf.add(loss, tf.mul(sum, input.hyper['featureWeight']!)), parts: { ...parts, hint: sum } };
      },
    };
  },
};

const stateName = ({ student, teacher }: FeaturePair, part: string): string => `hint/${student}:${teacher}/${part}`;

function regressor(pair: FeaturePair, seed: number): Record<string, tf.Variable> {
  const [from, to] = [pair.studentShape.at(-1)!, pair.teacherShape.at(-1)!];
  const random = new RandomStream(seed, 'init', stateName(pair, 'kernel'));
  const deviation = Math.sqrt(1 / from);
  const kernel = Float32Array.from({ length: from * to }, () => random.normal() * deviation);
  return {
    [stateName(pair, 'kernel')]: tf.variable(tf.tensor2d(kernel, [from, to])),
    [stateName(pair, 'bias')]: tf.variable(tf.zeros([to])),
  };
}

function distance(pair: FeaturePair, input: LossInput, variables: Readonly<Record<string, tf.Variable>>): tf.Scalar {
  const { student, teacher } = aligned(pair, input);
  const kernel = variables[stateName(pair, 'kernel')] as tf.Variable<tf.Rank.R2>;
  const rows = tf.matMul(tf.reshape<tf.Rank.R2>(student, [-1, kernel.shape[0]]), kernel);
  const mapped = tf.reshape(tf.add(rows, variables[stateName(pair, 'bias')]!), teacher.shape);
  return weightedMean(perSample(tf.squaredDifference(mapped, teacher)), input.weights);
}
