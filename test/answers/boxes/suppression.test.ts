import { DETECTION_WIDTH, MAX_DETECTIONS, overlapOf, suppressed } from '../../../src/answers/boxes/suppression.ts';

/** Detections of a row, without padding. */
function listed(row: Float32Array): number[][] {
  const all = Array.from({ length: row.length / DETECTION_WIDTH }, (_, i) => [
    ...row.subarray(i * DETECTION_WIDTH, (i + 1) * DETECTION_WIDTH),
  ]);
  const count = all.filter(([label]) => label !== -1).length;
  expect(all.slice(count).every(([label, score]) => label === -1 && score === 0)).toBe(true);
  return all.slice(0, count);
}

const A = [0, 0, 0.5, 0.5];
/** Overlaps A by 2/3 of the union, and C by 1/3. */
const B = [0, 0.1, 0.5, 0.6];
const C = [0.5, 0.5, 1, 1];

it('keeps the box with the higher score of two boxes of a class that overlap', () => {
  const row = suppressed([...B, ...A, ...C], [0.5, 0.75, 0.25], { iou: 0.6 });
  expect(row).toHaveLength(MAX_DETECTIONS * DETECTION_WIDTH);
  expect(listed(row)).toEqual([[0, 0.75, ...A], [0, 0.25, ...C]]); // prettier-ignore
  expect(listed(suppressed([...B, ...A, ...C], [0.5, 0.75, 0.25], { iou: 0.7 }))).toHaveLength(3);
});

it('keeps boxes of different classes, and a point of two classes twice', () => {
  const row = suppressed([...A, ...A], [0.5, 0.75, 0.25, 0.875]);
  expect(listed(row)).toEqual([[1, 0.875, ...A], [0, 0.5, ...A]]); // prettier-ignore
});

it('leaves out scores below the lowest one', () => {
  const boxes = [...A, ...C];
  expect(listed(suppressed(boxes, [0.5, 0.25], { minScore: 0.25 }))).toHaveLength(2);
  expect(listed(suppressed(boxes, [0.5, 0.25], { minScore: 0.26 }))).toHaveLength(1);
  expect(listed(suppressed(boxes, [0.5, 0.0099]))).toHaveLength(1);
  expect(listed(suppressed(boxes, [NaN, NaN]))).toEqual([]);
});

it('takes the first of equal scores, and no more than asked for', () => {
  const boxes = Array.from({ length: 200 }, (_, i) => [i / 200, 0, (i + 1) / 200, 1]).flat();
  const scores = new Float32Array(200).fill(0.5);
  const row = listed(suppressed(boxes, scores));
  expect(row.map(([, , xmin]) => xmin)).toEqual(Array.from({ length: 100 }, (_, i) => Math.fround(i / 200)));
  expect(suppressed(boxes, scores, { most: 3 })).toHaveLength(3 * DETECTION_WIDTH);
  expect(listed(suppressed([...A, ...A], [0.5, 0.5]))).toHaveLength(1);
});

it('suppresses none by a box that is suppressed itself', () => {
  const boxes = [0, 0, 1, 0.5, 0, 0.12, 1, 0.62, 0, 0.24, 1, 0.74];
  const row = listed(suppressed(boxes, [0.75, 0.5, 0.25]));
  expect(row.map(([, score]) => score)).toEqual([0.75, 0.25]);
});

it('divides by the union, or by the first box', () => {
  const [a, c] = [A, [0.25, 0.25, 0.75, 0.5]].map(([xmin, ymin, xmax, ymax]) => ({ xmin: xmin!, ymin: ymin!, xmax: xmax!, ymax: ymax! })); // prettier-ignore
  expect(overlapOf(a!, c!)).toBe(0.0625 / 0.3125);
  expect(overlapOf(a!, c!, 'first')).toBe(0.25);
  expect(overlapOf(c!, a!, 'first')).toBe(0.5);
  expect(overlapOf(a!, { xmin: 0.5, ymin: 0, xmax: 1, ymax: 1 })).toBe(0);
  const point = { xmin: 0.1, ymin: 0.1, xmax: 0.1, ymax: 0.1 };
  expect(overlapOf(point, point)).toBe(0);
});
