import { inPicture } from '../../data/pictures/letterbox.ts';
import { objectOf } from '../../serve/http/openapi-schemas.ts';
import { Refusal } from '../../serve/refusal.ts';
import type { Said } from '../../serve/v1/answers.ts';
import type { DescribedModel } from '../../serve/v1/described.ts';
import type { SaidForm } from '../../serve/v1/forms.ts';
import { sentPicture } from '../../serve/v1/placed-picture.ts';
import type { PlacedPicture } from '../../serve/v1/placed-picture.ts';
import { readSamples } from '../../serve/v1/raw.ts';
import { detectionRow, detectionsOf } from './detections.ts';
import { DETECTION_WIDTH } from './suppression.ts';
import { statedThreshold, USUAL_THRESHOLD } from './threshold.ts';

/** A box of the class `label`, with sides in pixels of the picture. */
interface Boxed {
  readonly index: number;
  readonly label?: string;
  readonly score: number;
  readonly box: { readonly xmin: number; readonly ymin: number; readonly xmax: number; readonly ymax: number };
}

/** The boxes of a picture, the highest score first, after non-maximum suppression. */
interface Detected {
  readonly height: number;
  readonly width: number;
  /** Lowest score of these boxes. */
  readonly threshold: number;
  readonly boxes: readonly Boxed[];
}

/** Numbers that a model's file states beside its boxes. */
interface StatedBoxes {
  /** Overlap above which the worse of two boxes of a class is dropped. */
  readonly overlap?: number;
  /** Lowest score of a box in an answer. */
  readonly threshold?: number;
}

/**
 * Boxes of a picture from boxes [points, 4] as shares of the picture that the model takes, then logits [points, classes]; or, where the model has
 * chosen among them, from boxes [n, 4], scores [n] and labels [n]. `overlap`, `threshold`: see `StatedBoxes`.
 */
export function detected(
  row: readonly number[],
  { names = [], logits }: Said,
  { place, ...size }: PlacedPicture,
  { overlap, threshold = USUAL_THRESHOLD }: { readonly [K in 'overlap' | 'threshold']?: number | undefined } = {},
): Detected {
  const each = logits ? 4 + names.length : DETECTION_WIDTH;
  const count = row.length / each;
  if (!Number.isInteger(count))
    throw new Refusal(
      500,
      `the model answers ${row.length} numbers, which are no boxes with ${logits ? `${names.length} scores each` : 'a score and a label each'}`,
    );
  if (row.some((value) => !Number.isFinite(value)))
    throw new Refusal(400, 'the model answers numbers that are not finite to this picture');
  const chosen = logits ? detectionRow(Float32Array.from(row), count, overlap) : rowOfChosen(row, count);
  const boxes = detectionsOf(chosen, threshold).map(({ label, score, ...sides }) => {
    const [xmin, ymin] = inPicture([sides.xmin, sides.ymin], size, place);
    const [xmax, ymax] = inPicture([sides.xmax, sides.ymax], size, place);
    return { index: label, label: names[label]!, score, box: { xmin, ymin, xmax, ymax } };
  });
  return { ...size, threshold, boxes };
}

/** Row of detections, see `suppressed`, of boxes [n, 4], scores [n] and labels [n]. */
function rowOfChosen(row: readonly number[], n: number): number[] {
  return Array.from({ length: n }, (_, i) => [row[5 * n + i]!, row[4 * n + i]!, ...row.slice(4 * i, 4 * i + 4)]).flat();
}

function boxesSchema(classes: readonly string[] | undefined): object {
  const size = { type: 'integer', minimum: 1 };
  const side = { type: 'number', minimum: 0 };
  const label = { type: 'string', ...(classes !== undefined && { enum: [...new Set(classes)] }) };
  const box = objectOf({ xmin: side, ymin: side, xmax: side, ymax: side });
  const index = { type: 'integer', minimum: 0 };
  return objectOf({
    height: size,
    width: size,
    threshold: { type: 'number', description: 'Lowest score of these boxes' },
    boxes: {
      type: 'array',
      items: objectOf({ index, label, score: { type: 'number', minimum: 0, maximum: 1 }, box }),
      description: 'Boxes in pixels of the picture, which has this height and width, the highest score first',
    },
  });
}

/** The same numbers in the description of a model, where `said.stated` puts them. */
function statedOf(described: DescribedModel): StatedBoxes {
  return described as StatedBoxes;
}

export const said: SaidForm = {
  least: {
    description: 'Lowest score of a box in the answer',
    usual: (described) => statedOf(described).threshold ?? USUAL_THRESHOLD,
  },
  stated: ({ metadata }): StatedBoxes => {
    const threshold = statedThreshold(metadata);
    return {
      ...(metadata.has('overlap') && { overlap: Number(metadata.get('overlap')) }),
      ...(threshold !== undefined && { threshold }),
    };
  },
  read: async (sent) => ({ ...(await readSamples(sent)), needs: await sentPicture(sent) }),
  answerOf: (row, _, { said: as, described, needs, score }) => {
    const { overlap, threshold } = statedOf(described);
    return detected(row, as, needs as PlacedPicture, { overlap, threshold: score ?? threshold });
  },
  answered: 'Boxes with a class each',
  each: 'The boxes of each picture',
  prediction: boxesSchema,
};
