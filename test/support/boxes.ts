import { boxesWidth, writeBoxes } from '../../src/data/targets/boxes.ts';
import { DETECTION_WIDTH, MAX_DETECTIONS } from '../../src/answers/boxes/suppression.ts';

/** A picture with true boxes and detections; corner, width and height in its pixels. */
export interface BoxPicture {
  readonly height: number;
  readonly width: number;
  /** Label, x, y, width, height; then 1 for a crowd. Their area is width · height, unless a seventh number says otherwise. */
  readonly boxes: readonly (readonly number[])[];
  /** Label, score, x, y, width, height. */
  readonly detections: readonly (readonly number[])[];
}

/** Targets and detections of pictures, as `boxFigures` takes them. */
export function boxRows(
  pictures: readonly BoxPicture[],
  most: number,
): { targets: Float32Array; detections: Float32Array } {
  const [width, each] = [boxesWidth(most), MAX_DETECTIONS * DETECTION_WIDTH];
  const [targets, detections] = [new Float32Array(pictures.length * width), new Float32Array(pictures.length * each)];
  pictures.forEach((picture, row) => {
    const corners = ([x, y, w, h]: readonly number[]) => ({
      ...{ xmin: x! / picture.width, ymin: y! / picture.height },
      ...{ xmax: (x! + w!) / picture.width, ymax: (y! + h!) / picture.height },
    });
    const boxes = picture.boxes.map(([label, x, y, w, h, crowd = 0, area = w! * h!]) => ({
      ...{ label: label!, ...corners([x!, y!, w!, h!]), area, isIgnored: crowd === 1 },
    }));
    writeBoxes(targets.subarray(row * width, (row + 1) * width), picture.height * picture.width, boxes);
    for (let i = 0; i < MAX_DETECTIONS; i++) {
      const [label = -1, score = 0, ...box] = picture.detections[i] ?? [];
      const { xmin, ymin, xmax, ymax } = corners(label === -1 ? [0, 0, 0, 0] : box);
      detections.set([label, score, xmin, ymin, xmax, ymax], row * each + i * DETECTION_WIDTH);
    }
  });
  return { targets, detections };
}
