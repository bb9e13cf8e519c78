import { detectionRow, detectionsOf } from '../../tasks/detection/detections.ts';
import { Refusal } from '../refusal.ts';
import type { Said } from './answers.ts';

/** A box of the class `label`, with sides in pixels of the picture that the model takes. */
interface Boxed {
  readonly index: number;
  readonly label?: string;
  readonly score: number;
  readonly box: { readonly xmin: number; readonly ymin: number; readonly xmax: number; readonly ymax: number };
}

/** The boxes of a picture of the size that the model takes, the highest score first, after non-maximum suppression. */
export interface Detected {
  readonly height: number;
  readonly width: number;
  readonly boxes: readonly Boxed[];
}

/** Lowest score of a box in an answer: clients choose a higher one for themselves. */
const LEAST_SCORE = 0.05;

/** Boxes of a picture [height, width, channels] from boxes [points, 4] as shares of its size, then logits [points, classes]. */
export function detected(row: readonly number[], { names = [] }: Said, shape: readonly number[]): Detected {
  const [height, width] = shape as readonly [number, number, number];
  const points = row.length / (4 + names.length);
  if (!Number.isInteger(points))
    throw new Refusal(
      500,
      `the model answers ${row.length} numbers, which are no boxes with ${names.length} scores each`,
    );
  if (row.some((value) => !Number.isFinite(value)))
    throw new Refusal(400, 'the model answers numbers that are not finite to this picture');
  const within = (value: number, size: number): number => size * Math.min(1, Math.max(0, value));
  const boxes = detectionsOf(detectionRow(Float32Array.from(row), points), LEAST_SCORE).map((one) => ({
    ...{ index: one.label, label: names[one.label]!, score: one.score },
    box: {
      ...{ xmin: within(one.xmin, width), ymin: within(one.ymin, height) },
      ...{ xmax: within(one.xmax, width), ymax: within(one.ymax, height) },
    },
  }));
  return { height, width, boxes };
}
