import { checkProbabilities, cornersOf, onlyOfRank, otherLayout } from './decoder.ts';
import type { Decoder, Output } from './decoder.ts';
import { scoresOfLabels } from './labels.ts';

/** One output [batch, 4 + classes, points]: the sides of boxes, and a probability of each class; or with the last axes swapped. */
export const yolov8: Decoder = {
  hasRivals: true,
  find: (outputs) => [onlyOfRank(outputs, 3)],
  decode: ([output], { file, classes, sides }) => {
    const part = columnsOf(output!, 4 + classes, `the sides and ${classes} classes`, file);
    const [boxes, scores] = [part(0, 4), part(4, classes)];
    return { boxes: sides === 'corners' ? boxes : cornersOf(boxes), scores };
  },
};

/** One output [batch, points, 5 + classes]: centre x, centre y, width, height, probability of an object, and of each class if it is one. */
export const yolox: Decoder = {
  hasRivals: true,
  find: (outputs) => [onlyOfRank(outputs, 3)],
  decode: ([output], { file, classes }) => {
    const part = columnsOf(output!, 5 + classes, `the sides, an object and ${classes} classes`, file);
    const objects = part(4, 1);
    return {
      boxes: cornersOf(part(0, 4)),
      scores: part(5, classes).map((score, i) => score * objects[Math.floor(i / classes)]!),
    };
  },
};

/**
 * Reads columns of an output [width, points] or [points, width], of which those behind the four sides are probabilities: [points, size] from column
 * `from` on. `UserError` for another shape.
 */
function columnsOf(output: Output, width: number, what: string, file: string) {
  const { data, shape, name } = output;
  const isFirst = shape.length === 2 && shape[0] === width;
  if (!isFirst && (shape.length !== 2 || shape[1] !== width))
    throw otherLayout(file, `[${width}, points], ${what}`, [output]);
  const points = isFirst ? shape[1]! : shape[0]!;
  const part = (from: number, size: number): Float32Array =>
    Float32Array.from({ length: points * size }, (_, i) => {
      const [point, column] = [Math.floor(i / size), from + (i % size)];
      return data[isFirst ? column * points + point : point * width + column]!;
    });
  checkProbabilities(file, { name, data: part(4, width - 4), shape });
  return part;
}

/** One output [batch, n, 6] of final boxes: xmin, ymin, xmax, ymax, score, class. Rows without a box have the score 0. */
export const yolo26: Decoder = {
  find: (outputs) => [onlyOfRank(outputs, 3)],
  decode: ([output], { file, classes }) => {
    const { data, shape, name } = output!;
    if (shape.length !== 2 || shape[1] !== 6)
      throw otherLayout(file, '[n, 6], the sides, score and class of final boxes', [output!]);
    const column = (from: number, size: number): Output => ({
      name,
      shape,
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
