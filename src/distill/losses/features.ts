import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.ts';
import type { FeaturePair, LossInput } from '../../train/step/loss.ts';
import { mixed, teacherLogits } from './common.ts';
import type { LossDefinition, TrainingSamples } from './define.ts';
import { softened } from './kd.ts';

type Variables = Readonly<Record<string, tf.Variable>>;

/** Settings of a loss of inner tensors. */
export interface FeatureSettings {
  readonly name: string;
  readonly pairs: readonly FeaturePair[];
  readonly seed: number;
  readonly samples?: TrainingSamples | undefined;
  /** Options of the loss in the recipe; some are sizes of layers. */
  readonly hyper: Readonly<Record<string, number>>;
}

/** Defines a loss of inner tensors in addition to plain KD, pair by pair: b · Σ_pairs distance(F_s, F_t) + the KD of `jointLoss`. */
export function featureLoss(definition: {
  /** Throws a `UserError` for a pair that the loss cannot compare. */
  readonly check: (loss: string, pair: FeaturePair) => void;
  /** Trained variables of a pair, by state name, initialized from the seed. */
  readonly variables?: (pair: FeaturePair, seed: number) => Variables;
  readonly distance: (pair: FeaturePair, input: LossInput, variables: Variables) => tf.Scalar;
}): LossDefinition {
  const { check, variables: draw, distance } = definition;
  return jointLoss({
    check: ({ name, pairs }) => pairs.forEach((pair) => check(name, pair)),
    variables: ({ pairs, seed }) => Object.assign({}, ...pairs.map((pair) => draw?.(pair, seed) ?? {})) as Variables,
    distance: ({ pairs }, input, variables) => tf.addN(pairs.map((pair) => distance(pair, input, variables))),
  });
}

/**
 * Defines a loss of all inner tensors together, in addition to plain KD.
 *
 * L = b · distance + α · T² · KL(…) + (1 - α) · CE(s, y)
 */
export function jointLoss(definition: {
  readonly check: (settings: FeatureSettings) => void;
  readonly variables: (settings: FeatureSettings) => Variables;
  /** Variables that `distance` updates itself. Default: none. */
  readonly memory?: (settings: FeatureSettings) => Variables;
  readonly reads?: 'rows';
  readonly distance: (settings: FeatureSettings, input: LossInput, variables: Variables) => tf.Scalar;
}): LossDefinition {
  const { check, variables: draw, memory: begin, reads, distance } = definition;
  return {
    needs: 'features',
    build: (name, { hyper, seed = 0, samples, ...args }) => {
      const features = requireFeatures(name, args.features);
      const settings: FeatureSettings = { name, pairs: features, seed, samples, hyper };
      check(settings);
      const variables = draw(settings);
      const memory = begin?.(settings);
      return {
        name,
        needs: 'features',
        hyper,
        features,
        variables,
        memory,
        reads,
        compute: (input) => {
          const { partial } = input;
          // An inner tensor belongs to a sample, also where a sample has several rows of answers.
          const compared = { ...input, weights: partial?.answers ?? input.samples ?? input.weights };
          const all = distance(settings, compared, { ...variables, ...memory });
          const sum: tf.Scalar = partial === undefined ? all : tf.mul(all, partial.answerShare);
          const { loss, parts } = mixed('kd', input, softened(input, input.studentLogits, teacherLogits(input)));
          return { loss: tf.add(loss, tf.mul(sum, input.hyper['featureWeight']!)), parts: { ...parts, [name]: sum } };
        },
      };
    },
  };
}

/** A feature loss needs pairs: without any it would be plain KD under another name. */
function requireFeatures(loss: string, features: readonly FeaturePair[] | undefined): readonly FeaturePair[] {
  if (features !== undefined && features.length > 0) return features;
  throw new UserError(
    `distill.loss: ${loss} compares intermediate tensors, and none are named`,
    'Name pairs of a student layer and an intermediate output of the teacher, or choose kd.',
  );
}

/**
 * Checks that two tensors can be brought to one size. Of two pictures, [batch, height, width, channels], the larger is averaged over windows, so its
 * height and width must be multiples of the smaller's. Other tensors must have equal shapes except for the last axis. Throws a `UserError` otherwise.
 */
export function checkSizes(loss: string, { student, teacher, studentShape, teacherShape }: FeaturePair): void {
  const [a, b] = [studentShape.slice(0, -1), teacherShape.slice(0, -1)];
  const fits =
    a.length === b.length && (isFeatureMap(studentShape) ? ratio(a, b) !== undefined : a.every((n, i) => n === b[i]));
  if (fits) return;
  throw new UserError(
    `distill.loss: ${loss} cannot compare ${student} [${studentShape.join(', ')}] of the student with ${teacher} [${teacherShape.join(', ')}] of the teacher`,
    'Pair layers whose height and width are equal or a whole multiple of each other.',
  );
}

/** Like `checkSizes`, for a loss that compares positions within a layer: also refuses a layer whose output is a vector. */
export function checkPlaces(loss: string, pair: FeaturePair): void {
  checkSizes(loss, pair);
  if (pair.studentShape.length > 1) return;
  throw new UserError(
    `distill.loss: ${loss} compares places of a layer, and ${pair.student} [${pair.studentShape.join(', ')}] of the student has none`,
    'Pair layers before the pooling, whose tensors have a height and a width.',
  );
}

export function isFeatureMap(shape: readonly number[]): boolean {
  return shape.length === 3;
}

/** Which of two pictures is larger, and the [height, width] of its averaging windows. */
function ratio(a: readonly number[], b: readonly number[]): { of: 'a' | 'b'; window: [number, number] } | undefined {
  const larger = a[0]! >= b[0]! ? 'a' : 'b';
  const [large, small] = larger === 'a' ? [a, b] : [b, a];
  const window: [number, number] = [large[0]! / small[0]!, large[1]! / small[1]!];
  return window.every(Number.isInteger) ? { of: larger, window } : undefined;
}

/** Both features of a pair, unchanged. */
export function both(pair: FeaturePair, input: LossInput): { student: tf.Tensor; teacher: tf.Tensor } {
  return { student: input.studentFeatures[pair.student]!, teacher: input.teacherFeatures[pair.teacher]! };
}

/** Both features of a pair at the same height and width. */
export function aligned(pair: FeaturePair, input: LossInput): { student: tf.Tensor; teacher: tf.Tensor } {
  const { student, teacher } = both(pair, input);
  if (!isFeatureMap(pair.studentShape)) return { student, teacher };
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

/** Mean over all positions, [batch, channels]. */
export function pooled(feature: tf.Tensor): tf.Tensor2D {
  return tf.mean(tf.reshape(feature, [feature.shape[0], -1, feature.shape.at(-1)!]), 1);
}
