import type { Dataset } from '../../../src/data/dataset.ts';
import type { SoftTargets } from '../../../src/distill/answers/soft-targets.ts';
import { boxesWidth, writeBoxes } from '../../../src/data/targets/boxes.ts';
import { sureAnswers } from '../../../src/answers/boxes/sure.ts';
import { preflight } from '../../../src/distill/preflight/preflight.ts';
import { NO_DETECTION, ROW } from '../../../src/answers/boxes/suppression.ts';
import { taskOf } from '../../../src/tasks/registry.ts';
import { pictures } from '../../support/dataset.ts';
import '../../support/tasks.ts';

const { few: fewBoxes, sure: sureBoxes } = sureAnswers;

const boxes: Dataset = { ...pictures(), sampleShape: [32, 32, 3], task: 'detection', maxBoxes: 2 };
const asked = { ids: Int32Array.of(0), x: new Float32Array(0) };

function stored(width: number): SoftTargets {
  const row = new Float32Array(width);
  row.set([2, 0.75, 0, 0, 1, 1, 0, 0.5, 0, 0, 1, 1, 1, 0.25, 0, 0, 1, 1, -1]);
  return { width, answersFor: () => Promise.resolve({ teacherLogits: row }) };
}

it('boxes below a score do not teach', async () => {
  const taught = async (minConfidence?: number): Promise<readonly number[]> => {
    const { teacherLogits } = await sureBoxes(stored(ROW), boxes, minConfidence).answersFor(asked);
    return [0, 6, 12].map((at) => teacherLogits![at]!);
  };
  expect(await taught()).toEqual([2, 0, -1]);
  expect(await taught(0.6)).toEqual([2, -1, -1]);
  expect(await taught(0.01)).toEqual([2, 0, 1]);
});

it('answers at points all teach', () => {
  const dense = stored(taskOf(boxes).width);
  expect(sureBoxes(dense, boxes, undefined)).toBe(dense);
  expect(() => sureBoxes(dense, boxes, 0.5)).toThrow('distill.minConfidence: expected final boxes of a teacher');
});

it('answers at points become final boxes for a student that answers once for each object', async () => {
  const single: Dataset = { ...boxes, nms: false };
  const task = taskOf(single);
  const points = task.fields[0]!.shape[0]!;
  const row = new Float32Array(task.width).fill(-9, 4 * points);
  // Two of the points see the same object, of which one is left.
  for (const point of [3, 4]) {
    row.set([0.1, 0.2, 0.5, 0.7], 4 * point);
    row[4 * points + 3 * point + 1] = point - 3;
  }
  const dense: SoftTargets = { width: task.width, answersFor: () => Promise.resolve({ teacherLogits: row }) };
  const made = sureBoxes(dense, single, 0.4);
  const { teacherLogits } = await made.answersFor(asked);
  expect([made.width, teacherLogits!.length, teacherLogits![6]]).toEqual([ROW, ROW, -1]);
  expect(Array.from(teacherLogits!.subarray(0, 6), (value) => value.toFixed(3))).toEqual(['1.000', '0.731', '0.100', '0.200', '0.500', '0.700']); // prettier-ignore
  expect((await sureBoxes(dense, single, 0.8).answersFor(asked)).teacherLogits![0]).toBe(-1);
});

/** Detections of pictures: each a list of [score, x of a box of class 0 with sides of 0.2]. */
function answers(found: readonly (readonly (readonly [score: number, x: number])[])[]): Float32Array {
  const out = new Float32Array(found.length * ROW).fill(NO_DETECTION);
  found.forEach((boxes, i) =>
    out.set(
      boxes.flatMap(([score, x]) => [0, score, x, 0, x + 0.2, 0.2]),
      i * ROW,
    ),
  );
  return out;
}

/** Pictures with labelled boxes of class 0 at these places. */
function labelled(places: readonly (readonly number[])[]): Dataset {
  const width = boxesWidth(2);
  const targets = new Float32Array(places.length * width);
  const corners = (xmin: number) => ({ label: 0, xmin, ymin: 0, xmax: xmin + 0.2, ymax: 0.2, area: 9, isIgnored: false }); // prettier-ignore
  for (const [i, each] of places.entries())
    writeBoxes(targets.subarray(i * width, (i + 1) * width), 1024, each.map(corners));
  return { ...boxes, count: places.length, targets };
}

const PAIRS = labelled([0, 1, 2, 3].map(() => [0, 0.6]));
const TIMID = answers([[[0.35, 0], [0.21, 0.6]], [[0.22, 0], [0.18, 0.6]], [[0.2, 0], [0.02, 0.3]], [[0.2, 0.6], [0.06, 0.3]]]); // prettier-ignore
const pictureRows = Int32Array.of(0, 1, 2, 3);

it.each([
  ['few', undefined, '1 boxes with a score of at least 0.3 (distill.minConfidence) in 4 pictures, which have 8 labelled boxes', '`distill.minConfidence: 0.15`: 6 boxes, which agree best with the labels (mean F1 of a picture 83.3 %, now 16.7 %)'],
  ['few by a stated score', 0.205, '3 boxes with a score of at least 0.205', '`distill.minConfidence: 0.15`'],
  ['enough', 0.19, undefined, undefined],
])('a detector whose sure boxes are %s, beside labels', (_, least, fact, remedy) => {
  const warning = fewBoxes('t.onnx', TIMID, PAIRS, { rows: pictureRows, hasLabels: true, text: '4 pictures' }, least);
  if (fact === undefined) expect(warning).toBeUndefined();
  else {
    expect(warning).toContain(fact);
    expect(warning).toContain(remedy);
  }
}); // prettier-ignore

it('no lower score is named where none agrees better with the labels', () => {
  const wrong = answers([[[0.35, 0], [0.1, 0.3]], [[0.1, 0.3]], [[0.1, 0.3]], [[0.1, 0.3]]]); // prettier-ignore
  expect(fewBoxes('t.onnx', wrong, PAIRS, { rows: pictureRows, hasLabels: true, text: '' })).toBeUndefined();
});

it('without labels, a detector that finds nothing sure in most pictures is warned of', () => {
  const asked = { rows: pictureRows, hasLabels: false, text: '4 pictures' };
  expect(fewBoxes('t.onnx', TIMID, boxes, asked)).toBe(
    't.onnx: 3 of 4 pictures get no box with a score of at least 0.3 (distill.minConfidence) and teach background alone; unless most show nothing, write `distill.minConfidence: 0.2`, with which 4 have one',
  );
  expect(fewBoxes('t.onnx', TIMID, boxes, asked, 0.15)).toBeUndefined();
  expect(fewBoxes('t.onnx', answers([[], [], [], []]), boxes, asked)).toMatch(/write a lower distill\.minConfidence$/);
});

it('the warning reaches the check of a teacher', async () => {
  const places = Array.from({ length: 24 }, (_, i) => 0.2 * (i % 5));
  const right = answers(places.map((x, i) => [[i === 0 ? 0.35 : 0.12, x]]));
  const known = labelled(places.map((x) => [x]));
  const rows = Int32Array.from(places.keys());
  const teacher = { name: 't.onnx', classes: ROW, answersTo: () => Promise.resolve(right) };
  const { warnings } = await preflight(teacher, known, { rows });
  expect(warnings).toEqual([expect.stringMatching(/^t\.onnx: 1 boxes .* in 24 training samples, which have 24 labelled boxes; .*`distill\.minConfidence: 0\.1`: 24 boxes/)]); // prettier-ignore
  expect((await preflight(teacher, known, { rows, minConfidence: 0.1 })).warnings).toEqual([]);
  const none = { ...known, labelled: new Uint8Array(24) };
  expect((await preflight(teacher, none, { rows })).warnings).toEqual([expect.stringContaining('23 of 24 training samples get no box')]); // prettier-ignore
});
