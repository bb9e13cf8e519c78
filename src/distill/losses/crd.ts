import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.ts';
import { RandomStream } from '../../base/random.ts';
import { uniformFeed } from '../../trace/random.ts';
import type { FeaturePair, LossInput } from '../../train/step/loss.ts';
import { weightedMean } from './common.ts';
import type { TrainingSamples } from './define.ts';
import { both, jointLoss, pooled } from './features.ts';
import type { FeatureSettings } from './features.ts';
import { normals, stateName } from './projector.ts';

type Variables = Readonly<Record<string, tf.Variable>>;

/**
 * Tian, Krishnan & Isola 2020 (ICLR), "Contrastive representation distillation", the objective of section 3 with its critic h, and the
 * memory bank of their code (Wu et al. 2018).
 *
 *   distance = ℓ(e_s, bank_t) + ℓ(e_t, bank_s),   e = the pooled tensor through a learned linear layer, scaled to length 1
 *   ℓ(e, bank) = - ln h(e, bank_i) - Σ_k ln (1 - h(e, bank_k)),   h(e, m) = p / (p + K/N),   p = exp(e · m / τ) / Z
 *
 * i: the sample itself; k: K samples of other classes, drawn in each step. N: samples of the training split. Z is N times the
 * weighted mean of exp(e · m / τ) over the first batch, then constant. After each step bank_i ← (µ · bank_i + (1 - µ) · e) scaled to length 1.
 */
export const crd = jointLoss({
  check: ({ name, samples }) => {
    if (samples === undefined) throw new Error(`${name} needs the samples of the training split`);
    if (samples.labels.some((label) => label !== samples.labels[0])) return;
    throw new UserError(
      `distill.loss: ${name} compares each sample with those of other classes, and all ${samples.labels.length} samples of train are of one class`,
      'Choose another loss, such as kd.',
    );
  },
  variables: ({ pairs, seed, hyper }) => {
    const embeddings = pairs.flatMap((pair) => [
      ...embedding(pair, 'student', pair.studentShape.at(-1)!, hyper['size']!, seed),
      ...embedding(pair, 'teacher', pair.teacherShape.at(-1)!, hyper['size']!, seed),
    ]);
    return Object.fromEntries(embeddings);
  },
  memory: ({ pairs, seed, hyper, samples }) => {
    const shape: [number, number] = [samples!.labels.length, hyper['size']!];
    const banks = pairs.flatMap((pair) => SIDES.flatMap((side) => bank(pair, side, shape, seed)));
    return Object.fromEntries(banks);
  },
  reads: 'rows',
  distance: (settings, input, variables) =>
    tf.addN(settings.pairs.map((pair) => contrasted(pair, settings, input, variables))),
});

const SIDES = ['student', 'teacher'] as const;
type Side = (typeof SIDES)[number];

function embedding(pair: FeaturePair, side: Side, from: number, to: number, seed: number): [string, tf.Variable][] {
  const kernel = stateName('crd', pair, `${side}/kernel`);
  return [
    [kernel, normals(kernel, [from, to], Math.sqrt(1 / from), seed)],
    [stateName('crd', pair, `${side}/bias`), tf.variable(tf.zeros([to]))],
  ];
}

/** Initial bank: uniform numbers with the deviation of a coordinate of a unit vector, as in the authors' code. Z is still unknown. */
function bank(pair: FeaturePair, side: Side, shape: [number, number], seed: number): [string, tf.Variable][] {
  const name = stateName('crd', pair, `${side}/bank`);
  const random = new RandomStream(seed, 'init', name);
  const most = Math.sqrt(3 / shape[1]);
  const values = Float32Array.from({ length: shape[0] * shape[1] }, () => most * (2 * random.uniform() - 1));
  return [
    [name, tf.variable(tf.tensor2d(values, shape))],
    [stateName('crd', pair, `${side}/z`), tf.variable(tf.scalar(UNKNOWN))],
  ];
}

const UNKNOWN = -1;

function contrasted(
  pair: FeaturePair,
  { hyper, samples }: FeatureSettings,
  input: LossInput,
  own: Variables,
): tf.Scalar {
  const variableOf = (side: Side, part: string): tf.Variable => own[stateName('crd', pair, `${side}/${part}`)]!;
  const features = both(pair, input);
  const embedded = (side: Side): tf.Tensor2D =>
    unit(
      tf.add(
        tf.matMul(pooled(features[side]), variableOf(side, 'kernel') as tf.Variable<tf.Rank.R2>),
        variableOf(side, 'bias'),
      ),
    );
  const [student, teacher] = [embedded('student'), embedded('teacher')];
  const rows = input.rows!;
  const negatives = otherClasses(samples!, tf.argMax(input.targets, -1), hyper['negatives']!);
  const compared = tf.concat<tf.Tensor2D>([tf.expandDims(rows, 1), negatives], 1);
  const each = tf.add<tf.Tensor1D>(
    noiseContrast(student, variableOf('teacher', 'bank'), variableOf('student', 'z'), compared, input),
    noiseContrast(teacher, variableOf('student', 'bank'), variableOf('teacher', 'z'), compared, input),
  );
  remember(variableOf('student', 'bank'), rows, student, input);
  remember(variableOf('teacher', 'bank'), rows, teacher, input);
  return weightedMean(each, input.weights);
}

/** ℓ of each sample, [batch]. `compared`: [batch, 1 + K] rows of the bank, first the sample's own. */
function noiseContrast(
  embedded: tf.Tensor2D,
  memory: tf.Variable,
  z: tf.Variable,
  compared: tf.Tensor2D,
  { hyper, weights }: LossInput,
): tf.Tensor1D {
  const count = memory.shape[0];
  const noise = (compared.shape[1] - 1) / count;
  const likeness = tf.sum(tf.mul(tf.gather(memory, compared), tf.expandDims(embedded, 1)), -1);
  const raw = tf.exp(tf.div(likeness, hyper['contrastTemperature']!));
  const known = constantOf(raw, (values) => {
    const mean = tf.mul(weightedMean(tf.mean(values, -1), weights), count);
    return tf.where(tf.logicalOr(tf.greater(z, 0), tf.equal(mean, 0)), z, mean);
  });
  z.assign(known);
  // If all samples of the first batch have weight 0, Z stays unknown.
  const scale = tf.abs(known);
  const p = tf.div(raw, scale);
  // ln((p + K/N) / (K/N)) of all rows; for the sample's own row ln((p + K/N) / p).
  const logs = tf.log(tf.add(tf.div(p, noise), 1 + FLOOR / noise));
  const positive = tf.sub(tf.log(tf.squeeze(tf.slice(p, [0, 0], [-1, 1]), [1])), Math.log(noise));
  return tf.sub(tf.sum(logs, -1), positive);
}

/** Constant of the authors' code, added to the noise. */
const FLOOR = 1e-7;

/** A function of a tensor that the gradient treats as a constant. */
function constantOf(x: tf.Tensor, of: (x: tf.Tensor) => tf.Tensor): tf.Tensor {
  const constant = tf.customGrad((given) => ({
    value: of(given as tf.Tensor),
    gradFunc: () => tf.zerosLike(x),
  }));
  return constant(x);
}

function remember(memory: tf.Variable, rows: tf.Tensor1D, embedded: tf.Tensor2D, { hyper }: LossInput): void {
  const before = tf.gather(memory, rows);
  const momentum = hyper['momentum']!;
  const after = unit(tf.add(tf.mul(before, momentum), tf.mul(embedded, tf.sub(1, momentum))));
  // Each row of the bank occurs in a batch once.
  const moved = tf.unsortedSegmentSum(tf.sub(after, before), rows, memory.shape[0]);
  memory.assign(tf.add(memory, moved));
}

/** Scales rows to length 1. */
function unit(rows: tf.Tensor2D): tf.Tensor2D {
  return tf.mul(rows, tf.rsqrt(tf.maximum(tf.sum(tf.square(rows), -1, true), 1e-24)));
}

/** Rows of samples of other classes than each sample's own, drawn uniformly with replacement, [batch, count]. */
function otherClasses({ labels, classes }: TrainingSamples, own: tf.Tensor, count: number): tf.Tensor2D {
  const sizes = new Int32Array(classes);
  for (const label of labels) sizes[label]!++;
  const starts = sizes.map((_, label) => sizes.subarray(0, label).reduce((sum, size) => sum + size, 0));
  const byClass = Int32Array.from(labels.keys()).sort((a, b) => labels[a]! - labels[b]! || a - b);
  const gatheredFrom = (table: Int32Array): tf.Tensor =>
    tf.expandDims(tf.gather(tf.tensor1d(Float32Array.from(table)), own), 1);
  const others = tf.sub(labels.length, gatheredFrom(sizes));
  const drawn = tf.floor(tf.mul(uniformFeed([own.shape[0], count]), others));
  // float32 may round a product just below the number of other samples up to it.
  const place = tf.minimum(drawn, tf.sub(others, 1));
  const skipped = tf.mul(tf.cast(tf.greaterEqual(place, gatheredFrom(starts)), 'float32'), gatheredFrom(sizes));
  const rows: tf.Tensor = tf.tensor1d(byClass, 'int32');
  return tf.gather(rows, tf.cast(tf.add(place, skipped), 'int32')) as tf.Tensor2D;
}
