import { percent } from '../../base/numbers.ts';
import { settingKeys } from '../../base/errors.ts';
import type { Dataset } from '../../data/dataset.ts';
import { largestShare } from '../../tasks/classification/chance.ts';
import type { OpenedTeacher } from '../teachers/open.ts';
import { betterReading } from './diagnosis.ts';
import type { TeacherFault } from './diagnosis.ts';
import { askAbout, plainLogits, samplesText, someRows } from './preflight.ts';

/** Maximum share of the errors of the most frequent class that a trained network makes: an untrained network can be right on half of the samples by chance. */
const FEW = 0.25;

/**
 * Normalization in which a student's file, opened as a teacher, answers already and far better than in the data's; undefined for a file that is right
 * as it is, or not yet trained for these classes.
 */
export async function answersOtherwise(
  { teacher, alternatives }: OpenedTeacher,
  dataset: Dataset,
): Promise<TeacherFault | undefined> {
  const rows = someRows(dataset, teacher.classes);
  const answered = await askAbout(teacher, dataset, rows);
  const normalizations = alternatives.filter(({ keys }) => Object.keys(keys).join() === 'normalize');
  const found = await betterReading(dataset, answered, normalizations, plainLogits);
  const chance = largestShare(answered.labels, teacher.classes);
  if (found?.isEvident !== true || 1 - found.accuracy > FEW * (1 - chance)) return undefined;
  const right = `right on ${percent(answered.accuracy, 1)} of ${samplesText(rows.length, dataset)} before it is trained`;
  return {
    fact: `${teacher.name}: ${right}, and ${found.fact}`,
    hint: `Set \`dataset.${found.what}\`, to go on from what it has learned.`,
    changes: settingKeys(found.keys, ['dataset']),
  };
}
