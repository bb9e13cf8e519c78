import { UserError } from '../../base/errors.ts';
import { percent, sum } from '../../base/numbers.ts';
import type { Dataset } from '../../data/dataset.ts';
import { targetsOf } from '../../data/targets/registry.ts';
import { boxesOfAll, detectionRow, detectionsOf, pictureF1 } from './detections.ts';
import type { Detection } from '../../tasks/task.ts';
import { DETECTION_WIDTH, NO_DETECTION, ROW } from './suppression.ts';
import { taskOf } from '../../tasks/registry.ts';
import type { AskedSamples, SureAnswers } from '../../distill/answers/sure-answers.ts';
import type { SoftTargets } from '../../distill/answers/soft-targets.ts';
import { otherBoxClasses } from './class-order.ts';

/** Least score of a detector's box that teaches, if the recipe states none. */
const LEAST = 0.3;
/** The same of boxes that are made of answers at points: scores of a detector that was trained for a short time are low, and weigh little. */
const LEAST_AT_POINTS = 0.05;
/** Scores that a warning proposes, the highest first. */
const LOWER = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01];
/** Share of the labelled boxes, or of the pictures, below which a detector is warned of. */
const FEW = 0.5;

/**
 * The answers that teach: of a detector only boxes with at least the score `minConfidence`, though its own score counts all. Answers at the student's
 * points teach as they are, and final boxes are made of them for students that answer once for each object. `UserError` for `minConfidence` with
 * answers that teach at points.
 */
function sureBoxes(answers: SoftTargets, dataset: Dataset, minConfidence: number | undefined): SoftTargets {
  const task = taskOf(dataset);
  if (task.taught === undefined) return answers;
  const isAtPoints = answers.width === task.width;
  if (isAtPoints && dataset.nms !== false) {
    if (minConfidence === undefined) return answers;
    throw new UserError(
      `distill.minConfidence: expected final boxes of a teacher, received scores at points, all of which teach`,
      'Take it out, or name the layout of a detector in teacher.decoder.',
    );
  }
  const least = minConfidence ?? (isAtPoints ? LEAST_AT_POINTS : LEAST);
  const [points] = task.fields[0]!.shape as readonly [number];
  const final = (all: Float32Array): Float32Array => {
    const out = new Float32Array((all.length / task.width) * ROW);
    for (let i = 0; i < all.length / task.width; i++)
      out.set(detectionRow(all.subarray(i * task.width, (i + 1) * task.width), points), i * ROW);
    return out;
  };
  return {
    width: ROW,
    ...(answers.cut && { cut: answers.cut }),
    ...(answers.timed && { timed: () => answers.timed!() }),
    ...(answers.tookFor && { tookFor: (stage, seconds) => answers.tookFor!(stage, seconds) }),
    answersFor: async (asked) => {
      const { teacherLogits, ...rest } = await answers.answersFor(asked);
      const rows = isAtPoints ? final(teacherLogits!) : teacherLogits!.slice();
      for (let at = 0; at < rows.length; at += DETECTION_WIDTH) if (rows[at + 1]! < least) rows[at] = NO_DETECTION;
      return { ...rest, teacherLogits: rows };
    },
  };
}

/**
 * Warning about a detector whose boxes with at least the score `minConfidence` are few, because what they leave out teaches as background: less than
 * half as many as labelled boxes, where a lower score agrees better with the labels, or without labels none in most pictures. Undefined otherwise,
 * and for answers at the student's points. `given`: answers to the pictures.
 */
function fewBoxes(
  name: string,
  given: Float32Array,
  dataset: Dataset,
  { rows, hasLabels, text }: AskedSamples,
  minConfidence: number = LEAST,
): string | undefined {
  const { taught, targetWidth } = taskOf(dataset);
  if (taught === undefined || given.length !== rows.length * taught.task.width) return undefined;
  const found = (least: number): Detection[][] =>
    Array.from(rows, (_, i) => detectionsOf(given.subarray(i * ROW, (i + 1) * ROW), least));
  const sure = found(minConfidence);
  const count = sure.flat().length;
  const lower = LOWER.filter((least) => least < minConfidence);
  const key = 'distill.minConfidence';
  const fact = `a score of at least ${minConfidence} (${key})`;
  if (!hasLabels) {
    const withBox = (pictures: readonly Detection[][]): number => pictures.filter(({ length }) => length > 0).length;
    const least = lower.find((least) => withBox(found(least)) >= FEW * rows.length);
    if (withBox(sure) >= FEW * rows.length) return undefined;
    const empty = rows.length - withBox(sure);
    const remedy =
      least === undefined
        ? `write a lower ${key}`
        : `write \`${key}: ${least}\`, with which ${withBox(found(least))} have one`;
    return `${name}: ${empty} of ${text} get no box with ${fact} and teach background alone; unless most show nothing, ${remedy}`;
  }
  const truth = boxesOfAll(targetsOf(dataset, rows), targetWidth);
  const labelled = truth.flat().filter(({ isIgnored }) => !isIgnored).length;
  if (count >= FEW * labelled) return undefined;
  const agreement = (pictures: readonly Detection[][]): number =>
    sum(pictures.map((own, i) => pictureF1(own, truth[i]!))) / rows.length;
  const [now, ...others] = [minConfidence, ...lower].map((least) => ({
    least,
    pictures: found(least),
    f1: agreement(found(least)),
  }));
  const best = others.reduce((best, one) => (one.f1 > best.f1 ? one : best), now!);
  if (best === now) return undefined;
  return (
    `${name}: ${count} boxes with ${fact} in ${text}, which have ${labelled} labelled boxes; what a teacher leaves out teaches as background. ` +
    `Write \`${key}: ${best.least}\`: ${best.pictures.flat().length} boxes, which agree best with the labels (mean F1 of a picture ${percent(best.f1, 1)}, now ${percent(now!.f1, 1)})`
  );
}

export const sureAnswers: SureAnswers = { sure: sureBoxes, few: fewBoxes, otherClasses: otherBoxClasses };
