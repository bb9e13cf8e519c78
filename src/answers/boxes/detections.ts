import { percent } from '../../base/numbers.ts';
import { areaOf, BOX_WIDTH, boxesOf, writeBoxes } from '../../data/targets/boxes.ts';
import type { TargetBox } from '../../data/targets/boxes.ts';
import { DETECTION_WIDTH, overlapOf, suppressed } from './suppression.ts';
import type { Detection } from '../../tasks/task.ts';

/** Lowest score of a detection that is shown, or taken for a label. */
export const SHOWN_SCORE = 0.5;
/** Most detections that a line of text names. */
const NAMED = 6;

/** Row of detections, see `suppressed`, of an answer of boxes [points, 4] and logits [points, classes]; `iou`: default that of `SUPPRESSION`. */
export function detectionRow(answer: Float32Array, points: number, iou?: number): Float32Array {
  const scores = Float32Array.from(answer.subarray(4 * points), (logit) => 1 / (1 + Math.exp(-logit)));
  return suppressed(answer.subarray(0, 4 * points), scores, iou === undefined ? {} : { iou });
}

/** Detections of a row with at least this score, the highest first. */
export function detectionsOf(row: ArrayLike<number>, least = 0): Detection[] {
  const found: Detection[] = [];
  for (let at = 0; at < row.length && row[at]! >= 0 && row[at + 1]! >= least; at += DETECTION_WIDTH)
    found.push({
      label: row[at]!,
      score: row[at + 1]!,
      xmin: row[at + 2]!,
      ymin: row[at + 3]!,
      xmax: row[at + 4]!,
      ymax: row[at + 5]!,
    });
  return found;
}

/** Text of detections: `dog 93 %, cat 55 %`. */
export function detectionsText(found: readonly Detection[], names: readonly string[]): string {
  const said = found.slice(0, NAMED).map(({ label, score }) => `${names[label]!} ${percent(score, 0)}`);
  return [...said, ...(found.length > NAMED ? [`${found.length - NAMED} more`] : [])].join(', ') || 'nothing';
}

/** Text of labelled boxes, by class: `2 dog, 1 cat`. */
export function boxesText(boxes: readonly TargetBox[], names: readonly string[]): string {
  const counts = names.map((_, c) => boxes.filter(({ label }) => label === c).length);
  const said = names.flatMap((name, c) => (counts[c] === 0 ? [] : [`${counts[c]!} ${name}`]));
  return said.join(', ') || 'nothing';
}

/** F1 of detections of a picture: pairs of the same class with an overlap of at least a half. 1 where both are empty. */
export function pictureF1(found: readonly Detection[], boxes: readonly (Detection | TargetBox)[]): number {
  const counted = boxes.filter((box) => !('isIgnored' in box && box.isIgnored));
  const free = new Set(counted);
  let right = 0;
  for (const one of found) {
    const match = [...free].find((box) => box.label === one.label && overlapOf(one, box) >= 0.5);
    if (match === undefined) continue;
    free.delete(match);
    right++;
  }
  return found.length + counted.length === 0 ? 1 : (2 * right) / (found.length + counted.length);
}

/** Targets [width] of a picture that detections of at least `SHOWN_SCORE` label, as `src/data/targets/boxes.ts` stores them. */
export function asTargetRow(row: ArrayLike<number>, pixels: number, width: number): Float32Array {
  const out = new Float32Array(width);
  const most = (width - 1) / BOX_WIDTH;
  const found = detectionsOf(row, SHOWN_SCORE).slice(0, most);
  writeBoxes(
    out,
    pixels,
    found.map((box) => ({ ...box, area: areaOf(box) * pixels, isIgnored: false })),
  );
  return out;
}

/** Labelled boxes of each picture of targets [pictures, width]. */
export function boxesOfAll(targets: ArrayLike<number>, width: number): TargetBox[][] {
  const most = (width - 1) / BOX_WIDTH;
  return Array.from({ length: targets.length / width }, (_, i) => boxesOf(targets, i * width, most));
}
