import { checkProbabilities, cornersOf, onlyOfRank, otherLayout } from './decoder.ts';
import type { Decoder, Output } from './decoder.ts';
import { scoresOfLabels } from './labels.ts';

/** One output [batch, 4 + classes, points]: centre x, centre y, width, height and a probability of each class; or with the last axes swapped. */
export const yolov8: Decoder = {
  hasRivals: true,
  find: (outputs) => [onlyOfRank(outputs, 3)],
  decode: ([output], { file, classes }) => {
    const { data, shape, name } = output!;
    const width = 4 + classes;
    const isFirst = shape.length === 2 && shape[0] === width;
    if (!isFirst && (shape.length !== 2 || shape[1] !== width))
      throw otherLayout(file, `[${width}, points], the sides and ${classes} classes`, [output!]);
    const points = isFirst ? shape[1]! : shape[0]!;
    const part = (from: number, size: number): Float32Array =>
      Float32Array.from({ length: points * size }, (_, i) => {
        const [point, column] = [Math.floor(i / size), from + (i % size)];
        return data[isFirst ? column * points + point : point * width + column]!;
      });
    const scores = part(4, classes);
    checkProbabilities(file, { name, data: scores, shape });
    return { boxes: cornersOf(part(0, 4)), scores };
  },
};

/** One output [batch, n, 6] of final boxes: xmin, ymin, xmax, ymax, score, class. Rows without a box have the score 0. */
export const yolo26: Decoder = {
  find: (outputs) => [onlyOfRank(outputs, 3)],
  decode: ([output], { file, classes }) => {
    const { data, shape, name } = output!;
    if (shape.length !== 2 || shape[1] !== 6)
      throw otherLayout(file, '[n, 6], the sides, score and class of final boxes', [output!]);
    const column = (from: number, size: number): Output => ({
      ...{ name, shape },
      data: Float32Array.from(
        { length: shape[0]! * size },
        (_, i) => data[6 * Math.floor(i / size) + from + (i % size)]!,
      ),
    });
    const [{ data: boxes }, scores, labels] = [column(0, 4), column(4, 1), column(5, 1)];
    checkProbabilities(file, scores);
    return { boxes, scores: scoresOfLabels(scores, labels, { file, classes, firstLabel: 0 }) };
  },
};
