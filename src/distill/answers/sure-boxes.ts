import { UserError } from '../../base/errors.ts';
import type { Dataset } from '../../data/dataset.ts';
import { DETECTION_WIDTH, NO_DETECTION } from '../../tasks/detection/suppression.ts';
import { taskOf } from '../../tasks/registry.ts';
import type { SoftTargets } from './soft-targets.ts';

/** Least score of a detector's box that teaches, if the recipe states none. */
const LEAST = 0.3;

/**
 * The answers that teach: of a detector only boxes with at least the score `minConfidence`, though its own score counts all. `UserError` for
 * `minConfidence` with answers at the student's points.
 */
export function sureBoxes(answers: SoftTargets, dataset: Dataset, minConfidence: number | undefined): SoftTargets {
  const task = taskOf(dataset);
  if (task.taught === undefined) return answers;
  if (answers.width === task.width) {
    if (minConfidence === undefined) return answers;
    throw new UserError(
      `distill.minConfidence: expected final boxes of a teacher, received scores at points, all of which teach`,
      'Take it out, or name the layout of a detector in teacher.decoder.',
    );
  }
  const least = minConfidence ?? LEAST;
  return {
    width: answers.width,
    ...(answers.cut && { cut: answers.cut }),
    ...(answers.timed && { timed: () => answers.timed!() }),
    ...(answers.tookFor && { tookFor: (stage, seconds) => answers.tookFor!(stage, seconds) }),
    answersFor: async (asked) => {
      const { teacherLogits, ...rest } = await answers.answersFor(asked);
      const rows = teacherLogits!.slice();
      for (let at = 0; at < rows.length; at += DETECTION_WIDTH) if (rows[at + 1]! < least) rows[at] = NO_DETECTION;
      return { ...rest, teacherLogits: rows };
    },
  };
}
