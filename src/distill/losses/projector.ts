import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../base/random.ts';
import type { FeaturePair, LossInput } from '../../train/step/loss.ts';
import { aligned } from './features.ts';

type Variables = Readonly<Record<string, tf.Variable>>;

/** State name of a variable of the loss. These variables are trained with the student, and never exported. */
export const stateName = (loss: string, { student, teacher }: FeaturePair, part: string): string =>
  `${loss}/${student}:${teacher}/${part}`;

/** Normal numbers with this deviation, determined by seed and name. */
export function normals(name: string, shape: readonly number[], deviation: number, seed: number): tf.Variable {
  const random = new RandomStream(seed, 'init', name);
  const values = Float32Array.from({ length: tf.util.sizeFromShape([...shape]) }, () => random.normal() * deviation);
  return tf.variable(tf.tensor(values, [...shape]));
}

/** A 1×1 convolution from the student's channels to the teacher's; without a bias for losses that ignore it. */
export function projector(loss: string, pair: FeaturePair, seed: number, hasBias = true): Variables {
  const [from, to] = [pair.studentShape.at(-1)!, pair.teacherShape.at(-1)!];
  const kernel = stateName(loss, pair, 'kernel');
  return {
    [kernel]: normals(kernel, [from, to], Math.sqrt(1 / from), seed),
    ...(hasBias && { [stateName(loss, pair, 'bias')]: tf.variable(tf.zeros([to])) }),
  };
}

/** A `projector` if student and teacher have different numbers of channels. */
export function projectorIfNeeded(loss: string, pair: FeaturePair, seed: number, hasBias = true): Variables {
  return pair.studentShape.at(-1) === pair.teacherShape.at(-1) ? {} : projector(loss, pair, seed, hasBias);
}

/** Both features at the same height and width, the student's after the pair's projector, if it has one. */
export function projected(
  loss: string,
  pair: FeaturePair,
  input: LossInput,
  variables: Variables,
): { student: tf.Tensor; teacher: tf.Tensor } {
  const { student, teacher } = aligned(pair, input);
  const kernel = variables[stateName(loss, pair, 'kernel')] as tf.Variable<tf.Rank.R2> | undefined;
  if (kernel === undefined) return { student, teacher };
  const rows = tf.matMul(tf.reshape<tf.Rank.R2>(student, [-1, kernel.shape[0]]), kernel);
  const bias = variables[stateName(loss, pair, 'bias')];
  return { student: tf.reshape(bias === undefined ? rows : tf.add(rows, bias), teacher.shape), teacher };
}
