import { UserError } from '../../../base/errors.ts';
import type { DecodeOptions, Output } from './decoder.ts';

/** Scores [n, classes] of boxes with a label and a score each. `UserError` for labels that are no classes; boxes of score 0 may have any. */
export function scoresOfLabels(
  scores: Output,
  labels: Output,
  { file, classes, firstLabel }: Pick<DecodeOptions, 'file' | 'classes' | 'firstLabel'>,
): Float32Array {
  const out = new Float32Array(scores.data.length * classes);
  scores.data.forEach((score, i) => {
    if (score <= 0) return;
    const label = labels.data[i]! - firstLabel;
    if (!Number.isInteger(label) || label < 0 || label >= classes)
      throw new UserError(
        `${file}: expected labels from ${firstLabel} to ${firstLabel + classes - 1} for ${classes} classes, received ${labels.data[i]!} in ${labels.name}`,
        'Name the classes of the file in teacher.classes, in their order, even those that the data set lacks; teacher.decoder.firstLabel of the layout ssd is the number of the first.',
      );
    out[i * classes + label] = score;
  });
  return out;
}
