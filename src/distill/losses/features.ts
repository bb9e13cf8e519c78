import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.ts';
import type { FeaturePair, LossInput } from '../../train/loss.ts';

/** A feature loss compares something, or it would be plain KD in disguise. */
export function requireFeatures(loss: string, features: readonly FeaturePair[] | undefined): readonly FeaturePair[] {
  if (features !== undefined && features.length > 0) return features;
  throw new UserError(
    `distill.loss: ${loss} compares intermediate tensors, and none are named`,
    'Name pairs of a student layer and an intermediate output of the teacher, or choose kd.',
  );
}

/**
 * How two pictures [batch, height, width, channels] come to one size: the larger is averaged over windows, so it must be a
 * multiple of the smaller. Anything that is not a picture must have the same shape but for its last axis.
 */
export function checkSizes(loss: string, { student, teacher, studentShape, teacherShape }: FeaturePair): void {
  const [a, b] = [studentShape.slice(0, -1), teacherShape.slice(0, -1)];
  const fits =
    a.length === b.length && (isPicture(studentShape) ? ratio(a, b) !== undefined : a.every((n, i) => n === b[i]));
  if (fits) return;
  throw new UserError(
    `distill.loss: ${loss} cannot compare ${student} [${studentShape.join(', ')}] of the student with ${teacher} [${teacherShape.join(', ')}] of the teacher`,
    'Pair layers whose height and width are equal or a whole multiple of each other.',
  );
}

function isPicture(shape: readonly number[]): boolean {
  return shape.length === 3;
}

/** [height, width] of the window over the larger of two pictures, and which that is. */
function ratio(a: readonly number[], b: readonly number[]): { of: 'a' | 'b'; window: [number, number] } | undefined {
  const of = a[0]! >= b[0]! ? 'a' : 'b';
  const [large, small] = of === 'a' ? [a, b] : [b, a];
  const window: [number, number] = [large[0]! / small[0]!, large[1]! / small[1]!];
  return window.every(Number.isInteger) ? { of, window } : undefined;
}

/** Both features of a pair at one height and width. */
export function aligned(pair: FeaturePair, input: LossInput): { student: tf.Tensor; teacher: tf.Tensor } {
  const student = input.studentFeatures[pair.student]!;
  const teacher = input.teacherFeatures[pair.teacher]!;
  if (!isPicture(pair.studentShape)) return { student, teacher };
  const { of, window } = ratio(pair.studentShape, pair.teacherShape)!;
  if (window[0] === 1 && window[1] === 1) return { student, teacher };
  const pooled = (x: tf.Tensor): tf.Tensor => tf.avgPool(x as tf.Tensor4D, window, window, 'valid');
  return of === 'a' ? { student: pooled(student), teacher } : { student, teacher: pooled(teacher) };
}

/** Mean over everything but the batch, [batch]. */
export function perSample(values: tf.Tensor): tf.Tensor1D {
  return tf.mean(
    values,
    values.shape.slice(1).map((_, i) => i + 1),
  );
}
