import type { OnProgress } from '../../base/progress.ts';
import type { Dataset } from '../../data/dataset.ts';
import type { LoadedDataset } from '../../data/load.ts';
import { scalingOf } from '../../data/targets/registry.ts';
import { taskOf } from '../../tasks/registry.ts';
import { taskOfWidth } from '../../tasks/task.ts';
import type { Teacher } from '../teachers/teacher.ts';

/** True if the validation samples have no labels. */
export function isWithoutLabels({ validation }: Pick<LoadedDataset, 'validation'>): boolean {
  return validation.labelled !== undefined;
}

/**
 * The data with the teacher's answers as labels of validation and test, which have none: scores are agreement with the teacher. Train stays without
 * labels.
 */
export async function scoredByTeacher(
  data: LoadedDataset,
  teacher: Teacher,
  onProgress?: OnProgress,
): Promise<LoadedDataset> {
  const { plainLogits } = await import('../preflight/preflight.ts');
  const task = taskOfWidth(taskOf(data.validation), teacher.classes);
  const answered = async (split: Dataset): Promise<Dataset> => {
    const rows = Int32Array.from({ length: split.count }, (_, i) => i);
    const targets = task.asTargets(await plainLogits(teacher, split, rows, { onProgress }));
    return { ...split, targets, labelled: undefined };
  };
  const validation = await answered(data.validation);
  const test = data.test && (await answered(data.test));
  const scaling = scalingOf(data.validation, validation.targets);
  const [train, ...others] = [data.train, validation, ...(test ? [test] : [])].map((split) => ({
    ...split,
    ...(scaling && { scaling }),
  }));
  return { ...data, train: train!, validation: others[0]!, test: others[1], labelledBy: teacher.name };
}
