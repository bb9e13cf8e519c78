import { percent } from '../base/numbers.ts';
import { UserError } from '../base/errors.ts';
import type { AugmentStep } from '../data/config.ts';
import type { Dataset } from '../data/dataset.ts';
import { readSafetensors } from '../formats/safetensors.ts';
import { targetsOf } from '../data/targets/registry.ts';
import { taskOf } from '../tasks/registry.ts';
import { drawnFrom, StoredSoftTargets } from './soft-targets.ts';
import type { SoftTargets } from './soft-targets.ts';
import { npyLogits } from './npy-logits.ts';

/** Most samples that the stored answers are checked on. */
const CHECKED = 2000;

export interface StoredLogitsOptions {
  /** Required accuracy, 0 … 1. Default: better than chance. */
  readonly minAccuracy?: number | undefined;
  /** Augmentation and seed that the views shown to the student are drawn from. */
  readonly augment?: readonly AugmentStep[];
  readonly seed?: number;
}

export interface StoredLogits {
  readonly answers: SoftTargets;
  /** The score on some of the samples. */
  readonly accuracy: number;
  /** Number of views of each sample that answers are stored for; undefined unless they are views that the student can be shown. */
  readonly views: number | undefined;
  /** True if they are answers to the same pictures that the student is shown. */
  readonly isSame: boolean;
}

/** Answers that a teacher gave in an earlier run, checked against the labels: a misaligned store is no better than chance. */
export async function storedLogits(
  bytes: Uint8Array,
  file: string,
  dataset: Dataset,
  { minAccuracy, augment = [], seed = 0 }: StoredLogitsOptions = {},
): Promise<StoredLogits> {
  const content = file.endsWith('.npy') ? npyLogits(bytes, file) : readSafetensors(bytes, file);
  const answers = new StoredSoftTargets(content, dataset, file);
  const n = Math.min(CHECKED, dataset.count);
  const ids = Int32Array.from({ length: n }, (_, i) => Math.floor((i * dataset.count) / n));
  const { teacherLogits: logits } = await answers.answersFor({ ids, x: new Float32Array(0) });
  if (logits!.some((value) => !Number.isFinite(value))) {
    throw new UserError(`${file}: some of the stored logits are not finite`, 'Let the teacher answer again.');
  }
  const task = taskOf(dataset);
  const { score: accuracy, isBetter } = task.skill(logits!, targetsOf(dataset, ids));
  const isGood = minAccuracy === undefined ? isBetter : accuracy >= minAccuracy;
  if (isGood) {
    const isSame = (content.metadata['drawn'] ?? drawnFrom([], seed)) === drawnFrom(augment, seed);
    return { answers, accuracy, isSame, views: isSame && augment.length > 0 ? answers.views : undefined };
  }
  const fact = `${file}: the stored logits are ${task.score.said(accuracy, `${n} training samples`, 1)}`;
  if (minAccuracy !== undefined) {
    throw new UserError(
      `${fact}, and teacher.minAccuracy asks for ${percent(minAccuracy, 1)}`,
      'Check that they belong to this data set, or ask for less.',
    );
  }
  throw new UserError(
    `${fact}, no better than chance`,
    'They belong to another data set, another order of samples or another order of classes; let the teacher answer again.',
  );
}
