import { percent } from '../base/numbers.ts';
import { UserError } from '../base/errors.ts';
import type { AugmentStep } from '../data/config.ts';
import type { Dataset } from '../data/dataset.ts';
import { readSafetensors } from '../formats/safetensors.ts';
import type { Safetensors } from '../formats/safetensors.ts';
import { unseal } from '../formats/sealed.ts';
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
  /** The score on some of the samples; undefined where none has a label. */
  readonly accuracy: number | undefined;
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
  const content = file.endsWith('.npy') ? npyLogits(bytes, file) : storedContent(bytes, file);
  const answers = new StoredSoftTargets(content, dataset, file);
  const { labelled } = dataset;
  const known = Int32Array.from(dataset.ids.keys()).filter((row) => labelled === undefined || labelled[row] === 1);
  const from = known.length > 0 ? known : Int32Array.from(dataset.ids.keys());
  const n = Math.min(CHECKED, from.length);
  const ids = Int32Array.from({ length: n }, (_, i) => from[Math.floor((i * from.length) / n)]!);
  const { teacherLogits: logits } = await answers.answersFor({ ids, x: new Float32Array(0) });
  if (logits!.some((value) => !Number.isFinite(value))) {
    throw new UserError(`${file}: some of the stored logits are not finite`, 'Let the teacher answer again.');
  }
  const isSame = (content.metadata['drawn'] ?? drawnFrom([], seed)) === drawnFrom(augment, seed);
  const found = { answers, isSame, views: isSame && augment.length > 0 ? answers.views : undefined };
  if (known.length === 0) return { ...found, accuracy: undefined };
  const task = taskOf(dataset);
  const { score: accuracy, isBetter } = task.skill(logits!, targetsOf(dataset, ids));
  const isGood = minAccuracy === undefined ? isBetter : accuracy >= minAccuracy;
  if (isGood) return { ...found, accuracy };
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

/** `UserError` for a file that a run has kept and that is not as it was written: its logits would be wrong ones. */
function storedContent(bytes: Uint8Array, file: string): Safetensors {
  const content = readSafetensors(bytes, file);
  const { key, done, sha256 } = content.metadata;
  if (key === undefined || done === undefined || sha256 === undefined) return content;
  try {
    return unseal(bytes, file);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const hint =
      'Copy it again from the run that wrote it. A file that you have changed yourself must not keep its metadata.';
    throw new UserError(error.message, hint, { cause: error });
  }
}
