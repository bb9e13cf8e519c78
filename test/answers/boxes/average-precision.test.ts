import { boxFigures } from '../../../src/answers/boxes/average-precision.ts';
import { boxRows } from '../../support/boxes.ts';
import type { BoxPicture } from '../../support/boxes.ts';

/** Two pictures with boxes of all sizes; the second-best detection of a box, equal scores, and boxes that nothing finds. */
const PLAIN: readonly BoxPicture[] = [
  {
    ...{ height: 480, width: 640 },
    boxes: [[0, 100, 100, 60, 40], [0, 300, 200, 120, 150], [1, 10, 10, 20, 20], [0, 400, 50, 30, 30]],
    detections: [
      [0, 0.9, 102, 98, 60, 44],
      [0, 0.8, 300, 210, 110, 150],
      [0, 0.8, 101, 101, 60, 40],
      [1, 0.6, 12, 10, 20, 18],
      [0, 0.4, 10, 400, 50, 50],
    ],
  },
  {
    ...{ height: 320, width: 320 },
    boxes: [[0, 0, 0, 320, 320], [1, 50, 50, 100, 100]],
    detections: [[0, 0.95, 5, 5, 300, 310], [1, 0.3, 60, 60, 100, 100], [1, 0.7, 200, 200, 80, 80]],
  },
]; // prettier-ignore

/** A crowd with two detections on it, an object of a smaller area than its box, a class without boxes, and a picture without boxes. */
const CROWDED: readonly BoxPicture[] = [
  {
    ...{ height: 200, width: 300 },
    boxes: [[0, 0, 0, 200, 100, 1], [0, 220, 20, 60, 60], [1, 10, 120, 50, 50, 0, 900]],
    detections: [
      [0, 0.9, 10, 10, 40, 40],
      [0, 0.85, 60, 20, 50, 50],
      [0, 0.8, 222, 20, 58, 60],
      [0, 0.5, 150, 80, 100, 60],
      [1, 0.9, 10, 125, 50, 50],
    ],
  },
  { ...{ height: 100, width: 100 }, boxes: [], detections: [[0, 0.7, 10, 10, 20, 20], [1, 0.2, 50, 50, 40, 40]] },
]; // prettier-ignore

function figuresOf(pictures: readonly BoxPicture[], classes: number) {
  const { targets, detections } = boxRows(pictures, 5);
  return boxFigures(detections, targets, { classes, most: 5 });
}

function expectClose(values: readonly (number | null)[], expected: readonly (number | null)[]): void {
  expect(values.map((value) => value && Number(value.toFixed(12)))).toEqual(
    expected.map((value) => value && Number(value.toFixed(12))),
  );
}

it('has the figures of pycocotools for boxes of all sizes', () => {
  const { ap, ap50, ap75, bySize, ar1, ar10, ar100, classes } = figuresOf(PLAIN, 2);
  expectClose([ap, ap50, ap75], [0.4536303630363036, 0.7095709570957095, 0.37623762376237624]);
  expectClose([bySize.small.ap, bySize.medium.ap, bySize.large.ap], [0.25, 0.85, 0.6004950495049505]);
  expectClose([ar1, ar10, ar100], [0.3375, 0.5375, 0.5375]);
  expectClose([bySize.small.ar, bySize.medium.ar, bySize.large.ar], [0.25, 0.9, 0.6]);
  expectClose([classes[0]!.ap, classes[1]!.ap], [0.6153465346534653, 0.2919141914191418]);
  expectClose([classes[0]!.ap50, classes[1]!.ap50], [0.7524752475247525, 2 / 3]);
  expectClose([classes[0]!.ar100, classes[1]!.ar100], [0.625, 0.45]);
  expect(classes.map(({ boxes }) => boxes)).toEqual([4, 2]);
});

it('gives precision and score at each recall', () => {
  const { precision, score } = figuresOf(PLAIN, 2).classes[0]!.curve!;
  expect([precision.length, score.length]).toEqual([101, 101]);
  // Of four boxes three are found: no detection reaches a recall above 0.75.
  expect([0, 50, 51, 75, 76, 100].map((i) => precision[i])).toEqual([1, 1, 1, 1, 0, 0]);
  expectClose([0, 26, 51, 75, 76].map((i) => score[i]!), [0.95, 0.9, 0.8, 0.8, 0].map(Math.fround)); // prettier-ignore
});

it('counts crowds neither as found nor as missed, and has no figure of a class without boxes', () => {
  const { ap, ap50, bySize, ar1, ar100, classes } = figuresOf(CROWDED, 3);
  expectClose([ap, ap50], [0.85, 1]);
  expectClose([bySize.small.ap, bySize.medium.ap, bySize.large.ap], [0.7, 1, null]);
  expectClose([bySize.small.ar, bySize.medium.ar, bySize.large.ar], [0.7, 1, null]);
  expectClose([ar1, ar100], [0.35, 0.85]);
  expect(classes[2]).toEqual({ boxes: 0, ap: null, ap50: null, ar100: null, curve: undefined });
  expect(classes[0]!.boxes).toBe(1);
});

it('gives equal scores in the order of the pictures', () => {
  const right = { ...{ height: 64, width: 64 }, boxes: [[0, 0, 0, 32, 32]], detections: [[0, 0.5, 0, 0, 32, 32]] };
  const wrong = { ...{ height: 64, width: 64 }, boxes: [], detections: [[0, 0.5, 0, 0, 32, 32]] };
  expect(figuresOf([right, wrong], 1).ap).toBe(1);
  expect(figuresOf([wrong, right], 1).ap).toBeCloseTo(0.5, 12);
});

it('has no figure without boxes, and 0 without detections', () => {
  const empty = { height: 64, width: 64, boxes: [], detections: [] };
  expect(figuresOf([empty], 1)).toMatchObject({ ap: null, ar100: null });
  expect(figuresOf([{ ...empty, boxes: [[0, 0, 0, 32, 32]] }], 1)).toMatchObject({ ap: 0, ar100: 0 });
});
