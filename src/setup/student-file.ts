import { UserError } from '../base/errors.ts';
import type { Dataset, Normalization } from '../data/dataset.ts';
import { refuseOtherSamples } from '../distill/teachers/inputs/preparation.ts';
import { otherOrder } from '../files/class-order.ts';
import { refuseStream, statedIn } from '../files/stated.ts';
import { takesRaw } from '../distill/teachers/inputs/own-scaling.ts';
import type { StatedPreparation } from '../files/stated.ts';
import { refuseOtherText } from '../distill/teachers/inputs/stated-text.ts';
import { inputScaling } from '../formats/onnx/input-scaling.ts';
import type { InputScaling } from '../formats/onnx/input-scaling.ts';
import type { Model } from '../formats/onnx/model.ts';
import { taskRow } from '../recipe/task.ts';
import type { Recipe } from '../recipe/schema.ts';

const SAME_NAMES = 'Give both the same names, in whatever order, or set `student.head: replace`.';

/** Maximum number of channels whose numbers a note lists. */
const LISTED = 4;

/**
 * Compares a student's file with the data: its weights assume certain columns, tokens and sounds, and an order of classes. `UserError` if these
 * differ; notes if numbers are prepared differently, or by the file itself.
 */
export function checkStudentFile(
  file: string,
  model: Model,
  train: Dataset,
  { student, teacher }: Pick<Recipe, 'student' | 'teacher'>,
): string[] {
  const { metadata } = model;
  refuseStream(file, metadata);
  refuseOtherSamples(file, metadata, train);
  if (train.text !== undefined) refuseOtherText(file, metadata, train.text);
  const { names } = statedIn(metadata);
  const order =
    student?.head === 'replace' || train.vector !== undefined
      ? undefined
      : otherOrder(file, names, train.classNames, SAME_NAMES);
  if (order !== undefined)
    throw new UserError(
      `${file}: answers for ${order.join(', ')} in this order, and the data set has ${train.classNames.join(', ')}`,
      taskRow(train.task).hasClasses
        ? `Set \`dataset.classes: ${JSON.stringify(order)}\`, or \`student.head: replace\`.`
        : 'Name them in the order of the file, as `dataset.label` or `dataset.classes`, or set `student.head: replace`.',
    );
  return preparationNotes(file, model, train, teacher);
}

/** Notes on how the numbers are prepared that a student's file, or the backbone of a student, is fed. */
export function preparationNotes(file: string, model: Model, train: Dataset, teacher: Recipe['teacher']): string[] {
  const { preprocessing } = statedIn(model.metadata);
  const scaling = scalingNote(file, inputScaling(model, train.sampleShape.at(-1)!), train);
  if (scaling !== undefined) return [scaling];
  // A recipe that sets the teacher's normalization expects different numbers.
  const isSaid = train.text !== undefined || teacher?.normalize !== undefined;
  if (isSaid || preprocessing === undefined || isSame(preprocessing, train.normalization)) return [];
  const { scale, mean, std } = preprocessing;
  const numbers =
    mean.length > LISTED
      ? `\`dataset.normalize\` to the ${mean.length} means and deviations that \`limbeck inspect\` prints of it`
      : `\`dataset.normalize: ${JSON.stringify({ scale, mean, std })}\``;
  return [
    `${file} was trained on differently prepared numbers than the data set's; to start from its results, set ${numbers}`,
  ];
}

/** A note on a student's file that begins with a scaling of raw samples; undefined for other files. */
export function scalingNote(file: string, scaling: InputScaling | undefined, train: Dataset): string | undefined {
  if (train.usual === undefined && !takesRaw(scaling, train)) return undefined;
  return `${file}: begins with a scaling of raw samples, ${train.usual === undefined ? 'and dataset.normalize prepares them before it; leave that out, or set none' : 'so it and the files made of it take samples as they are, as with dataset.normalize: none'}`;
}

/** True if both give nearly the same numbers for the same samples. */
function isSame({ scale, mean, std }: StatedPreparation, own: Normalization): boolean {
  const at = (values: readonly number[], i: number): number => values[values.length === 1 ? 0 : i]!;
  if (![1, own.mean.length].includes(mean.length)) return false;
  return own.mean.every((ownMean, i) => {
    const [slope, ownSlope] = [scale / at(std, i), own.scale / own.std[i]!];
    const [zero, ownZero] = [at(mean, i) / at(std, i), ownMean / own.std[i]!];
    return Math.abs(slope / ownSlope - 1) < 0.01 && Math.abs(zero - ownZero) < 0.01;
  });
}
