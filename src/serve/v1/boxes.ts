import { placeIn } from '../../data/pictures/letterbox.ts';
import type { PicturePlace } from '../../data/pictures/letterbox.ts';
import { detectionRow, detectionsOf } from '../../tasks/detection/detections.ts';
import { DETECTION_WIDTH } from '../../tasks/detection/suppression.ts';
import { USUAL_THRESHOLD } from '../../tasks/detection/threshold.ts';
import { Refusal } from '../refusal.ts';
import type { Said } from './answers.ts';
import { isPicture } from './raw.ts';
import type { SentTo } from './raw.ts';

/** A box of the class `label`, with sides in pixels of the picture. */
interface Boxed {
  readonly index: number;
  readonly label?: string;
  readonly score: number;
  readonly box: { readonly xmin: number; readonly ymin: number; readonly xmax: number; readonly ymax: number };
}

/** The boxes of a picture, the highest score first, after non-maximum suppression. */
export interface Detected {
  readonly height: number;
  readonly width: number;
  /** Lowest score of these boxes. */
  readonly threshold: number;
  readonly boxes: readonly Boxed[];
}

/** A picture, and where it lies in the picture that the model takes. */
export interface Placed {
  readonly height: number;
  readonly width: number;
  readonly place: PicturePlace;
}

/** Size and place of a picture that was sent; raw values are a picture of the size that the model takes. */
export async function sentPicture({ contentType, body, described }: SentTo): Promise<Placed> {
  const [height, width] = described.shape as readonly [number, number, number];
  if (!isPicture(contentType)) return { height, width, place: placeIn({ height, width }, undefined, undefined) };
  const { pictureHeader } = await import('../../data/pictures/picture.ts');
  const { autoOrient: own } = await pictureHeader(body);
  return { height: own.height, width: own.width, place: placeIn(own, [height, width], described.fit) };
}

/**
 * Boxes of a picture from boxes [points, 4] as shares of the picture that the model takes, then logits [points, classes]; or, where the model has
 * chosen among them, from boxes [n, 4], scores [n] and labels [n]. `overlap`, `threshold`: see `DescribedModel`.
 */
export function detected(
  row: readonly number[],
  { names = [], logits }: Said,
  { height, width, place }: Placed,
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
  const within = (value: number, from: number, share: number, size: number): number =>
    size * Math.min(1, Math.max(0, (value - from) / share));
  const x = (value: number): number => within(value, place.left, place.across, width);
  const y = (value: number): number => within(value, place.top, place.down, height);
  const chosen = logits ? detectionRow(Float32Array.from(row), count, overlap) : rowOfChosen(row, count);
  const boxes = detectionsOf(chosen, threshold).map((one) => ({
    ...{ index: one.label, label: names[one.label]!, score: one.score },
    box: { xmin: x(one.xmin), ymin: y(one.ymin), xmax: x(one.xmax), ymax: y(one.ymax) },
  }));
  return { height, width, threshold, boxes };
}

/** Row of detections, see `suppressed`, of boxes [n, 4], scores [n] and labels [n]. */
function rowOfChosen(row: readonly number[], n: number): number[] {
  return Array.from({ length: n }, (_, i) => [row[5 * n + i]!, row[4 * n + i]!, ...row.slice(4 * i, 4 * i + 4)]).flat();
}
