import { UserError } from '../../base/errors.ts';
import type { CommonConfig } from '../config.ts';
import type { TargetValues } from '../dataset.ts';

/**
 * Weight of each class. `balanced` is n / (k · count) with k classes that occur (King and Zeng 2001): each class has the same total weight, and the
 * mean weight of a sample is 1. A class without samples gets 0. `labels`: class of each sample or pixel; numbers that are no class count in none.
 */
export function classWeights(
  setting: NonNullable<CommonConfig<unknown>['classWeights']>,
  labels: TargetValues,
  classes: number,
): Float32Array {
  if (labels.length === 0)
    throw new UserError('classWeights: need labels, and no sample of train has one', 'Leave it out.');
  if (setting !== 'balanced') {
    if (setting.length !== classes || !setting.every((weight) => weight >= 0 && Number.isFinite(weight))) {
      throw new UserError(
        `classWeights: expected ${classes} numbers ≥ 0, received [${setting.join(', ')}]`,
        'Give one weight per class in the order of the classes, or `balanced`.',
      );
    }
    return Float32Array.from(setting);
  }
  const counts = countByClass(labels, classes);
  const present = counts.filter((count) => count > 0).length;
  const all = counts.reduce((sum, count) => sum + count, 0);
  return Float32Array.from(counts, (count) => (count === 0 ? 0 : all / (present * count)));
}

export function countByClass(labels: TargetValues, classes: number): Float64Array {
  const counts = new Float64Array(classes);
  for (const label of labels) counts[label]!++;
  return counts;
}
