import type { Recipe } from './schema.ts';

/** Least steps of a training of random weights whose epochs a recipe does not state, and least and most epochs for them. */
const USUAL_STEPS = 2000;
export const USUAL_EPOCHS = 10;
const MOST_EPOCHS = 200;

interface Length {
  readonly epochs: number;
  readonly minSteps?: number | undefined;
  readonly batchSize: number;
}

/** Epochs of a training: those that are stated, or more up to 200 where fewer steps than `minSteps` are taken in them. */
export function epochsOf({ epochs, minSteps = 0, batchSize }: Length, samples: number): number {
  return Math.max(epochs, lastingEpochs(minSteps, samples, batchSize));
}

function lastingEpochs(steps: number, samples: number, batchSize: number): number {
  return Math.min(MOST_EPOCHS, Math.ceil(steps / Math.ceil(samples / batchSize)));
}

/** Epochs of a training of random weights that states none. */
export function usualEpochs(samples: number, batchSize: number): number {
  return epochsOf({ epochs: USUAL_EPOCHS, minSteps: USUAL_STEPS, batchSize }, samples);
}

/** The recipe with the epochs of each training on this number of samples. */
export function withEpochs(recipe: Recipe, samples: number): Recipe {
  const lasting = <T extends Length>(training: T): T => ({ ...training, epochs: epochsOf(training, samples) });
  const { teacher, distill } = recipe;
  return {
    ...recipe,
    distill: lasting(distill),
    ...(teacher && {
      teacher: {
        ...teacher,
        ...(teacher.train && { train: lasting(teacher.train) }),
        ...(teacher.chain && { chain: teacher.chain.map(lasting) }),
      },
    }),
  };
}

/** Sentences on trainings that have more epochs for their steps. */
export function stepsNotes({ distill, teacher, student }: Recipe, samples: number): string[] {
  const trainings = {
    ...(teacher?.train && { 'teacher.train': teacher.train }),
    ...Object.fromEntries((teacher?.chain ?? []).map((one, i) => [`teacher.chain.${i}`, one] as const)),
    ...(student && { distill }),
  };
  return Object.entries(trainings).flatMap(([key, { epochs, minSteps = 0, batchSize }]) => {
    if (epochs <= USUAL_EPOCHS || epochs !== lastingEpochs(minSteps, samples, batchSize)) return [];
    const steps = epochs * Math.ceil(samples / batchSize);
    return [
      `${key}: ${epochs} epochs (${steps} steps of up to ${batchSize} samples) for at least ${minSteps} steps or ${MOST_EPOCHS} epochs; set ${key}.epochs for another length`,
    ];
  });
}

type Mapping = Readonly<Record<string, unknown>>;

/** The recipe as written, with the least steps of each training whose epochs it does not state; a search trains for parts of its epochs. */
export function withMinSteps(data: unknown): unknown {
  if (!isMapping(data) || data['target'] !== undefined) return data;
  const { student, distill = {}, teacher } = data;
  const isRandom = isMapping(student) && !PRETRAINED.some((key) => student[key] !== undefined);
  return {
    ...data,
    ...(isRandom && { distill: lasting(distill) }),
    ...(isMapping(teacher) && {
      teacher: {
        ...teacher,
        ...(teacher['train'] !== undefined && { train: lasting(teacher['train']) }),
        ...(Array.isArray(teacher['chain']) && { chain: teacher['chain'].map(lasting) }),
      },
    }),
  };
}

/** Keys of students that begin with the weights of a file. */
const PRETRAINED = ['onnx', 'keras', 'tfjs', 'folder', 'backbone'];

function lasting(training: unknown): unknown {
  return isMapping(training) && training['epochs'] === undefined ? { minSteps: USUAL_STEPS, ...training } : training;
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
