import { z } from 'zod';
import type { TaskName } from '../task.ts';
import { fraction } from './parts.ts';

/**
 * What a recipe says of each loss, one row a loss: its options with their defaults. The schema, `limbeck schema` and the table in
 * docs/losses.md follow from it; what the loss computes is a file in src/distill/losses.
 */

const temperature = (usual: number) =>
  z
    .number()
    .gt(0)
    .max(1000)
    .default(usual)
    .describe('Softens the answers of teacher and student before they are compared.');
const alpha = (usual: number) => fraction.default(usual).describe('Weight of the teacher; the labels weigh 1 - alpha.');
const weightOf = (what: string, usual: number) => z.number().min(0).default(usual).describe(`Weight of ${what}.`);
const features = z
  .array(
    z.strictObject({
      student: z.string().min(1).describe('Layer of the student.'),
      teacher: z.string().min(1).describe('Name among `teacher.intermediate`, or layer of a trained teacher.'),
    }),
  )
  .min(1)
  .describe('Pairs of inner tensors to compare.');

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
    options: {
      temperature: temperature(4),
      alpha: alpha(0.5),
      targetWeight: weightOf('the part about the true class', 1),
      nonTargetWeight: weightOf('the part about the other classes', 8),
    },
  },
  dist: {
    doc: 'Correlation within samples and within classes (Huang 2022).',
    options: {
      temperature: temperature(4),
      alpha: alpha(0.8),
      interWeight: weightOf('the relations between classes', 1),
      intraWeight: weightOf('the relations between samples', 1),
    },
  },
  mse: {
    doc: 'Squared difference of logits (Ba & Caruana 2014), or of numbers.',
    options: { alpha: alpha(0.9) },
  },
  bounded: {
    doc: 'The teacher as a bound of the error of numbers (Chen 2017).',
    options: {
      boundWeight: weightOf('the error where the student is not better than the teacher', 0.5),
      margin: z
        .number()
        .min(0)
        .default(0)
        .describe('How much better its squared error must be to be free of that, in variances of the label.'),
    },
  },
  hint: {
    doc: 'Intermediate tensors through a learned regressor (FitNets 2015), with kd.',
    options: {
      temperature: temperature(4),
      alpha: alpha(0.9),
      featureWeight: weightOf('the inner tensors', 100),
      features,
    },
  },
  attention: {
    doc: 'Maps of where intermediate tensors are large (attention transfer 2017), with kd.',
    options: {
      temperature: temperature(4),
      alpha: alpha(0.9),
      featureWeight: weightOf('the inner tensors', 1000),
      features,
    },
  },
};

export type LossName = keyof typeof LOSSES;

const EVERY: readonly TaskName[] = ['classification', 'regression'];
const OF_TASKS: Readonly<Partial<Record<LossName, readonly TaskName[]>>> = {
  mse: EVERY,
  bounded: ['regression'],
};

/** Tasks that a loss is for; most compare classes. */
export function tasksOfLoss(name: LossName): readonly TaskName[] {
  return OF_TASKS[name] ?? ['classification'];
}

/** The numbers of a loss, those that are not given by their defaults. */
export function lossNumbers(name: LossName, given: Readonly<Record<string, unknown>> = {}): Record<string, number> {
  const numbers = Object.entries(LOSSES[name].options).filter(([key]) => key !== 'features');
  return Object.fromEntries(numbers.map(([key, schema]) => [key, schema.parse(given[key]) as number]));
}
