import { z } from 'zod';
import { pictureStep } from './augment.ts';
import { count, fraction, modelName, modelOption, temperatureSchema } from './parts.ts';

/**
 * Options of each loss with their defaults, one row a loss. The schema, `limbeck schema` and the table in docs/losses.md follow from it; the
 * computation is in src/distill/losses.
 */

const temperature = (usual: number) =>
  temperatureSchema
    .default(usual)
    .describe('Temperature that softens the answers of teacher and student before they are compared.');
const alpha = (usual: number) =>
  fraction.default(usual).describe('Weight of the teacher; the labels have the weight 1 - alpha.');
const weightOf = (what: string, usual: number) => z.number().min(0).default(usual).describe(`Weight of ${what}.`);
const features = z
  .array(
    z.strictObject({
      student: z.string().min(1).describe('Layer of the student.'),
      teacher: z.string().min(1).describe('A name in `teacher.intermediate`, or a layer of a trained teacher.'),
    }),
  )
  .min(1)
  .describe('Pairs of inner tensors to compare.');

const peerKeys = { model: modelName };
/** Keys of `peer` besides the options of its model. */
export const PEER_KEYS = Object.keys(peerKeys);
const peer = z
  .object(peerKeys)
  .catchall(modelOption)
  .optional()
  .describe(
    'The other student: a model with its options. Default: the model of the student, with other initial weights.',
  );

const withKd = { temperature: temperature(4), alpha: alpha(0.9) };

/** Further properties of a loss that recipes and trainings depend on. */
interface LossRow {
  readonly doc: string;
  readonly options: Readonly<Record<string, z.ZodType>>;
  /** Numbers of the paper that no recipe changes. */
  readonly fixed?: Readonly<Record<string, number>>;
  /**
   * Compares samples of a batch, normalizes over the batch, or remembers it: the loss is no sum over samples, and cannot be computed for a part of a
   * batch.
   */
  readonly acrossBatch?: true;
  /** The teacher's part needs the true class or number: the loss has no value for a sample without a label. */
  readonly needsLabel?: true;
  /** Remembers single samples: the loss has no value for mixed samples. */
  readonly needsPlain?: true;
  /** Needs the outputs of student and teacher for a second view of each sample. */
  readonly needsStrong?: true;
  /** Learns from another student, which is trained at the same time, instead of a teacher. */
  readonly needsPeer?: true;
  /** Its matrix products sum over whole layers, keep a projection orthogonal, or are divided by a low temperature: float16 is too coarse. */
  readonly fullPrecision?: true;
}

export const LOSSES = {
  kd: {
    doc: 'Softened teacher probabilities (Hinton 2015).',
    options: { temperature: temperature(4), alpha: alpha(0.9) },
  },
  'kd-standardized': {
    doc: 'Softened probabilities of standardized logits (Sun 2024).',
    options: { temperature: temperature(2), alpha: alpha(0.9) },
  },
  dkd: {
    doc: 'Target and non-target classes decoupled (Zhao 2022).',
    needsLabel: true,
    options: {
      temperature: temperature(4),
      alpha: alpha(0.5),
    },
    fixed: { targetWeight: 1, nonTargetWeight: 8 },
  },
  dist: {
    doc: 'Correlation within samples and within classes (Huang 2022).',
    acrossBatch: true,
    options: {
      temperature: temperature(4),
      alpha: alpha(0.8),
    },
    fixed: { interWeight: 1, intraWeight: 1 },
  },
  ttm: {
    doc: "The teacher's temperature alone (transformed teacher matching, Zheng & Yang 2024).",
    options: { temperature: temperature(10), alpha: alpha(0.98) },
  },
  wttm: {
    doc: 'As ttm, samples weighed by how soft the teacher answers (Zheng & Yang 2024).',
    options: { temperature: temperature(5), alpha: alpha(0.8) },
  },
  nkd: {
    doc: 'The true class, and the other classes normalized among themselves (Yang 2023).',
    needsLabel: true,
    options: {
      temperature: temperature(1),
      alpha: alpha(0.5),
    },
    fixed: { nonTargetWeight: 1.5 },
  },
  mlld: {
    doc: 'Instances, batches and classes at five temperatures (multi-level logits, Jin 2023).',
    acrossBatch: true,
    options: {
      temperature: temperature(4),
      alpha: alpha(0.9),
    },
    fixed: { instanceWeight: 1, batchWeight: 1, classWeight: 1 },
  },
  crld: {
    needsStrong: true,
    doc: 'Each view of a sample by the answers to both, where the teacher is sure (cross-view, Zhang 2024).',
    // `within` and `across`: least probability of the teacher's class in the plain and in the strong view for its answers to count.
    fixed: { withinWeight: 2, acrossWeight: 0.5, within: 0.9, across: 0.2 },
    options: {
      temperature: temperature(4),
      alpha: alpha(0.5),
      strong: z
        .array(pictureStep)
        .min(1)
        .default([{ randAugment: {} }])
        .describe('Further random changes of a picture, after `dataset.augment`, for the strong view.'),
    },
  },
  mse: {
    doc: 'Squared difference of logits (Ba & Caruana 2014), or of numbers.',
    options: { alpha: alpha(0.9) },
  },
  cosine: {
    doc: 'Angle between the vectors of student and teacher.',
    options: { alpha: alpha(0.9) },
  },
  similarity: {
    acrossBatch: true,
    fullPrecision: true,
    fixed: { teacherTemperature: 0.05 },
    doc: 'How alike a sample is to vectors of the teacher, those of the batch and of a queue (SEED, Fang 2021).',
    options: {
      alpha: alpha(0.9),
      temperature: temperature(0.2),
      queue: z
        .int()
        .min(0)
        .max(65_536)
        .default(0)
        .describe('Number of vectors of earlier batches that samples are compared with too.'),
    },
  },
  'cwd-logits': {
    doc: 'Where in the picture each class is likely (channel-wise on logits, Shu 2021).',
    // In the paper the maps of the logits weigh three times as much as the labels.
    options: { temperature: temperature(4), alpha: alpha(0.75) },
  },
  mutual: {
    doc: 'Another student, which learns at the same time and from this one (deep mutual learning, Zhang 2018).',
    needsPeer: true,
    options: {
      temperature: temperature(1),
      peer,
    },
    // The labels weigh 1.
    fixed: { peerWeight: 1 },
  },
  bounded: {
    doc: 'The teacher as a bound of the error of numbers (Chen 2017).',
    needsLabel: true,
    options: {},
    // Weight of the error where the student is not better than the teacher by `margin`, in variances of the label.
    fixed: { boundWeight: 0.5, margin: 0 },
  },
  hint: {
    doc: 'Intermediate tensors through a learned regressor (FitNets 2015), with kd.',
    options: { ...withKd, featureWeight: weightOf('the inner tensors', 100), features },
  },
  frs: {
    doc: 'Intermediate tensors of detectors through a learned regressor, where the teacher sees objects (feature richness, Du 2021), with kd.',
    options: { ...withKd, featureWeight: weightOf('the inner tensors', 1), features },
  },
  pkd: {
    doc: 'Intermediate tensors standardized channel by channel (Pearson correlation, Cao 2022), with kd.',
    acrossBatch: true,
    options: { ...withKd, featureWeight: weightOf('the inner tensors', 6), features },
  },
  cwd: {
    doc: 'Where in the picture each channel is large (channel-wise, Shu 2021), with kd.',
    fixed: { mapTemperature: 4 },
    options: {
      ...withKd,
      featureWeight: weightOf('the inner tensors', 50),
      features,
    },
  },
  vkd: {
    doc: 'Pooled tensors through a learned orthogonal projection (Miles 2024), with kd.',
    fullPrecision: true,
    options: { ...withKd, featureWeight: weightOf('the inner tensors', 1), features },
  },
  rkd: {
    doc: 'Distances and angles between the samples of a batch (Park 2019), with kd.',
    fixed: { distanceWeight: 25, angleWeight: 50 },
    acrossBatch: true,
    fullPrecision: true,
    options: {
      ...withKd,
      featureWeight: weightOf('the inner tensors', 1),
      features,
    },
  },
  sp: {
    doc: 'Which samples of a batch are alike (similarity-preserving, Tung & Mori 2019), with kd.',
    acrossBatch: true,
    fullPrecision: true,
    options: { ...withKd, featureWeight: weightOf('the inner tensors', 3000), features },
  },
  mgd: {
    doc: 'The tensor of the teacher generated from a masked one of the student (Yang 2022), with kd.',
    fixed: { maskRatio: 0.15 },
    options: {
      ...withKd,
      featureWeight: weightOf('the inner tensors', 0.00007),
      features,
    },
  },
  crd: {
    acrossBatch: true,
    needsLabel: true,
    needsPlain: true,
    fullPrecision: true,
    doc: 'Which sample it is, among those of other classes in a memory (contrastive, Tian 2020), with kd.',
    // `momentum`: share of the memory that is kept when its sample is seen; `size`: of the vector in it.
    fixed: { contrastTemperature: 0.07, momentum: 0.5, size: 128 },
    options: {
      ...withKd,
      featureWeight: weightOf('the inner tensors', 0.8),
      negatives: count
        .max(65_536)
        .default(1024)
        .describe('Number of samples of other classes that each sample is compared with in a step.'),
      features,
    },
  },
  reviewkd: {
    acrossBatch: true,
    doc: 'Layers from the last to the first, each joined with those behind it (knowledge review, Chen 2021), with kd.',
    options: { ...withKd, featureWeight: weightOf('the inner tensors', 1), features },
  },
  attention: {
    doc: 'Maps of where intermediate tensors are large (attention transfer 2017), with kd.',
    options: { ...withKd, featureWeight: weightOf('the inner tensors', 1000), features },
  },
} satisfies Readonly<Record<string, LossRow>>;

export type LossName = keyof typeof LOSSES;

type Property = 'acrossBatch' | 'needsLabel' | 'needsPlain' | 'needsStrong' | 'needsPeer' | 'fullPrecision';

function lossesWith(property: Property): ReadonlySet<string> {
  const rows: Readonly<Record<string, LossRow>> = LOSSES;
  return new Set(Object.keys(rows).filter((name) => rows[name]![property] === true));
}

export const ACROSS_BATCH = lossesWith('acrossBatch');
export const NEEDS_LABEL = lossesWith('needsLabel');
export const NEEDS_PLAIN = lossesWith('needsPlain');
export const NEEDS_STRONG = lossesWith('needsStrong');
export const NEEDS_PEER = lossesWith('needsPeer');
export const FULL_PRECISION = lossesWith('fullPrecision');

/** Options that are no numbers. */
const LISTS = ['features', 'strong', 'peer'];

/** Numbers that a loss reads: its numeric options, with defaults for absent ones, and those that no recipe changes. */
export function lossNumbers(name: LossName, given: Readonly<Record<string, unknown>> = {}): Record<string, number> {
  return { ...lossOptions(name, given), ...fixedNumbers(name) };
}

/** Numeric options of a loss, with defaults for absent ones. */
export function lossOptions(name: LossName, given: Readonly<Record<string, unknown>> = {}): Record<string, number> {
  const options = Object.entries(LOSSES[name].options as Readonly<Record<string, z.ZodType>>);
  const numbers = options.filter(([key]) => !LISTS.includes(key));
  return Object.fromEntries(numbers.map(([key, schema]) => [key, schema.parse(given[key]) as number]));
}

/** Numbers of a loss's paper that no recipe changes. */
export function fixedNumbers(name: LossName): Readonly<Record<string, number>> {
  const { fixed = {} }: LossRow = LOSSES[name];
  return fixed;
}
