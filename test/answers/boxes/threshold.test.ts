import { bestScoreThreshold, figuresAt, statedThreshold } from '../../../src/answers/boxes/threshold.ts';
import { boxRows } from '../../support/boxes.ts';
import type { BoxPicture } from '../../support/boxes.ts';

/** Pictures of 100 × 100 pixels with one box each, and detections with these scores: on the box, and where none is. */
function pictures(right: readonly number[], wrong: readonly number[], boxes = right.length): BoxPicture[] {
  return Array.from({ length: Math.max(boxes, right.length, wrong.length) }, (_, i) => ({
    ...{ height: 100, width: 100 },
    boxes: i < boxes ? [[0, 10, 10, 40, 40]] : [],
    detections: [
      ...(right[i] === undefined ? [] : [[0, right[i], 12, 10, 40, 40]]),
      ...(wrong[i] === undefined ? [] : [[1, wrong[i], 60, 60, 30, 30]]),
    ].sort((a, b) => b[1]! - a[1]!),
  }));
}

const SIZES = { classes: 2, most: 3 };
function ofPictures(all: readonly BoxPicture[]) {
  const { targets, detections } = boxRows(all, SIZES.most);
  return [detections, targets, SIZES] as const;
}

it('lies in the middle between the right detections and the wrong ones', () => {
  const all = ofPictures(pictures([0.2, 0.3, 0.9], [0.1, 0.05]));
  expect(bestScoreThreshold(...all)).toBe(0.15);
  expect(figuresAt(0.15, ...all)).toEqual({ threshold: 0.15, precision: 1, recall: 1, f1: 1 });
});

it('of a weak model is low: it shows what it finds', () => {
  const all = ofPictures(pictures([0.045, 0.035, 0.055], [0.025], 4));
  expect(bestScoreThreshold(...all)).toBe(0.03);
  expect(figuresAt(0.3, ...all)).toEqual({ threshold: 0.3, precision: null, recall: 0, f1: 0 });
});

it('gives up boxes where as many wrong ones would come with them', () => {
  // F1 is 2/4 with the first alone, 4/9 with the second and all wrong ones.
  const all = ofPictures(pictures([0.8, 0.2], [0.6, 0.5, 0.45, 0.4], 3));
  const best = bestScoreThreshold(...all)!;
  expect(best).toBeGreaterThan(0.6);
  expect(figuresAt(best, ...all)).toMatchObject({ precision: 1, recall: 1 / 3, f1: 1 / 2 });
});

it('is none where no detection is right', () => {
  expect(bestScoreThreshold(...ofPictures(pictures([], [0.9, 0.8], 2)))).toBeUndefined();
  expect(bestScoreThreshold(...ofPictures(pictures([], [])))).toBeUndefined();
});

it('counts crowds neither as boxes nor as wrong detections', () => {
  const crowd = { height: 100, width: 100, boxes: [[0, 0, 0, 90, 90, 1]], detections: [[0, 0.9, 10, 10, 30, 30]] };
  expect(figuresAt(0.5, ...ofPictures([crowd]))).toEqual({ threshold: 0.5, precision: null, recall: null, f1: null });
});

it.each([
  ['0.25', 0.25],
  ['1.5', undefined],
  ['high', undefined],
  ['-1', undefined],
])('is read from metadata that state %s', (stated, threshold) => {
  expect(statedThreshold(new Map([['threshold', stated]]))).toBe(threshold);
});
