import { UserError } from '../base/errors.ts';
import type { Dataset } from '../data/dataset.ts';
import { readSafetensors } from '../formats/safetensors.ts';
import { accuracyOf } from './preflight.ts';
import { StoredSoftTargets } from './soft-targets.ts';
import type { SoftTargets } from './soft-targets.ts';

/** Most samples that the stored answers are checked on. */
const CHECKED = 2000;

/** Answers that a teacher gave in an earlier run, checked against the labels: a misaligned store is no better than chance. */
export async function storedLogits(
  bytes: Uint8Array,
  file: string,
  dataset: Dataset,
): Promise<{ answers: SoftTargets; accuracy: number }> {
  const answers = new StoredSoftTargets(readSafetensors(bytes, file), dataset, file);
  const n = Math.min(CHECKED, dataset.count);
  const ids = Int32Array.from({ length: n }, (_, i) => Math.floor((i * dataset.count) / n));
  const { teacherLogits } = await answers.answersFor({ ids, x: new Float32Array(0) });
  const labels = ids.map((row) => dataset.labels[row]!);
  const classes = dataset.classNames.length;
  const accuracy = accuracyOf(teacherLogits!, labels, classes);
  if (accuracy > 1.5 / classes) return { answers, accuracy };
  throw new UserError(
    `${file}: the stored logits are right on ${(100 * accuracy).toFixed(1)} % of ${n} training samples, no better than chance`,
    'They belong to another data set, another order of samples or another order of classes; let the teacher answer again.',
  );
}
