import { UserError } from '../../base/errors.ts';
import { resizedLogits } from './masks.ts';
import type { GridAnswers } from '../../distill/teachers/file-teacher.ts';
import { channelsLast } from '../../distill/teachers/inputs/preprocess.ts';

/**
 * Logits of a file for each pixel, [n, height, width, classes] or [n, classes, height, width], as [n, rows, columns, classes]: brought to the grid of
 * the data by bilinear interpolation between the centres of cells. `layout`: of the file's input, for outputs that both could be. `UserError` for
 * outputs of another form.
 */
export const gridAnswers: GridAnswers = ({ data, shape }, [rows, columns, classes], { name, output, layout }) => {
  const [n, first, , last] = shape;
  const isLast = last === classes && (first !== classes || layout === 'nhwc');
  if (shape.length !== 4 || (!isLast && first !== classes))
    throw new UserError(
      `${name}: expected logits of ${classes} classes for each pixel, [n, height, width, ${classes}] or [n, ${classes}, height, width], received ${output} [${shape.join(', ')}]`,
      'Export the model up to its logits, without argmax, for the classes of the data set; or name the output with `teacher.output`.',
    );
  const values = isLast ? data : channelsLast(data, shape as readonly [number, number, number, number]);
  const size = isLast ? shape.slice(1, 3) : shape.slice(2);
  const [height, width] = size as [number, number];
  return {
    data: resizedLogits(values, [height, width, classes], [rows, columns]),
    shape: [n!, rows, columns, classes],
  };
};
