import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../../src/base/random.ts';
import { detectorPoints } from '../../../src/data/points.ts';
import { BOX_WIDTH, boxesWidth, writeBoxes } from '../../../src/data/targets/boxes.ts';
import type { TargetBox } from '../../../src/data/targets/boxes.ts';
import { assigned, detectedBoxes, labelledBoxes } from '../../../src/answers/boxes/assignment.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

const [HEIGHT, WIDTH, CLASSES, MOST] = [64, 96, 3, 5];
const points = detectorPoints(HEIGHT, WIDTH);

type Sides = readonly [number, number, number, number];

/** What each point of a picture learns, in double precision, as Feng et al. 2021 describe it: box, scores, whether its loss counts. */
function reference(boxes: readonly Sides[], scores: readonly (readonly number[])[], truth: readonly TargetBox[]) {
  const sidesOf = ({ xmin, ymin, xmax, ymax }: TargetBox): Sides => [xmin, ymin, xmax, ymax];
  const insideness = (i: number, [x0, y0, x1, y1]: Sides): number => {
    const axis = (a: number, b: number, k: 0 | 1): number => {
      const [centre, cell] = [points.centres[2 * i + k]!, points.cells[2 * i + k]!];
      const isNearest = Math.abs(centre - (a + b) / 2) < cell / 2;
      return Math.max(Math.min(centre - a, b - centre) / Math.max(b - a, 1e-6), isNearest ? 1e-3 : 0);
    };
    return Math.min(axis(x0, x1, 0), axis(y0, y1, 1));
  };
  const counted = truth.filter(({ isIgnored }) => !isIgnored);
  const owners = boxes.map((): { box: TargetBox; overlap: number; metric: number }[] => []);
  for (const box of counted) {
    const all = boxes
      .map((own, i) => {
        const overlap = iou(own, sidesOf(box));
        const inside = insideness(i, sidesOf(box));
        return { i, inside, overlap, metric: scores[i]![box.label]! * overlap ** 6 + inside * 1e-9 };
      })
      .filter(({ inside }) => inside > 0)
      .sort((a, b) => b.metric - a.metric)
      .slice(0, 10);
    for (const { i, ...of } of all) owners[i]!.push({ box, ...of });
  }
  const taken = owners.map((all) => all.reduce<(typeof all)[number] | undefined>((best, one) => (best === undefined || one.overlap > best.overlap ? one : best), undefined)); // prettier-ignore
  const largest = (box: TargetBox, of: 'metric' | 'overlap'): number =>
    Math.max(...taken.map((one) => (one?.box === box ? one[of] : 0)));
  const aims = taken.map((one) =>
    one === undefined
      ? undefined
      : { ...one, score: (one.metric / largest(one.box, 'metric')) * largest(one.box, 'overlap') },
  );
  const sum = aims.reduce((total, aim) => total + (aim?.score ?? 0), 0);
  return aims.map((aim, i) => {
    const isFree = !truth.some((box) => box.isIgnored && insideness(i, sidesOf(box)) > 0);
    return {
      box: aim && sidesOf(aim.box),
      scores: Array.from({ length: CLASSES }, (_, c) => (aim?.box.label === c ? aim.score : 0)),
      norm: (isFree || aim !== undefined ? points.count : 0) / Math.max(sum, 1),
    };
  });
}

function iou(a: Sides, b: Sides): number {
  const size = (s: Sides): number => (s[2] - s[0]) * (s[3] - s[1]);
  const [w, h] = [Math.min(a[2], b[2]) - Math.max(a[0], b[0]), Math.min(a[3], b[3]) - Math.max(a[1], b[1])];
  const both = Math.max(0, w) * Math.max(0, h);
  return both / (size(a) + size(b) - both);
}

/** Boxes around each point, logits, and true boxes of a picture, drawn at random. */
function scene(random: RandomStream, count: number) {
  const drawn = (): number => random.uniform();
  const truth = Array.from({ length: count }, (_, i): TargetBox => {
    const [w, h] = [0.03 + 0.6 * drawn(), 0.03 + 0.6 * drawn()];
    const [xmin, ymin] = [(1 - w) * drawn(), (1 - h) * drawn()];
    const label = Math.floor(CLASSES * drawn());
    return { label, xmin, ymin, xmax: xmin + w, ymax: ymin + h, area: 1, isIgnored: i === 3 };
  });
  const boxes = Array.from({ length: points.count }, (_, i): Sides => {
    const [x, y] = [points.centres[2 * i]!, points.centres[2 * i + 1]!];
    return [x - 0.4 * drawn(), y - 0.4 * drawn(), x + 0.4 * drawn(), y + 0.4 * drawn()];
  });
  const logits = boxes.map(() => Array.from({ length: CLASSES }, () => 4 * drawn() - 3));
  return { truth, boxes, logits };
}

it('gives the points what Feng et al. 2021 give them', () => {
  const random = new RandomStream('assignment');
  const scenes = [0, 1, 2, 4, 5, 3].map((count) => scene(random, count));
  const width = boxesWidth(MOST);
  const targets = new Float32Array(scenes.length * width);
  scenes.forEach(({ truth }, i) => writeBoxes(targets.subarray(i * width, (i + 1) * width), 1, truth));
  expect(width).toBe(1 + MOST * BOX_WIDTH);
  const result = assigned(
    tf.tensor3d(scenes.map(({ boxes }) => boxes.map((sides) => [...sides]))),
    tf.tensor3d(scenes.map(({ logits }) => logits)),
    labelledBoxes(tf.tensor2d(targets, [scenes.length, width])),
    { points, classes: CLASSES },
  ).arraySync();
  let learning = 0;
  scenes.forEach(({ boxes, logits, truth }, picture) => {
    const scores = logits.map((row) => row.map((logit) => 1 / (1 + Math.exp(-logit))));
    // The graph sees float32: of boxes that are equally good within its rounding, either may be chosen; none are here.
    const rounded = truth.map((box) => ({
      ...box,
      ...Object.fromEntries((['xmin', 'ymin', 'xmax', 'ymax'] as const).map((side) => [side, Math.fround(box[side])])),
    }));
    reference(boxes, scores, rounded).forEach((expected, i) => {
      const row = result[picture * points.count + i]!;
      expected.scores.forEach((score, c) => expect(row[4 + c]).toBeCloseTo(score, 5));
      expect(row[4 + CLASSES]! / points.count).toBeCloseTo(expected.norm / points.count, 5);
      if (expected.box === undefined) return;
      learning++;
      expected.box.forEach((side, k) => expect(row[k]).toBeCloseTo(side, 6));
    });
  });
  expect(learning).toBeGreaterThan(60);
});

it('gives a box that is smaller than a cell to the point nearest to its middle', () => {
  const width = boxesWidth(MOST);
  const targets = new Float32Array(width);
  const small = { label: 1, xmin: 0.1, ymin: 0.1, xmax: 0.105, ymax: 0.105, area: 1, isIgnored: false };
  writeBoxes(targets, 1, [small]);
  const boxes = Array.from({ length: points.count }, (_, i) => [...points.centres.subarray(2 * i, 2 * i + 2), 1, 1]);
  const truth = labelledBoxes(tf.tensor2d(targets, [1, width]));
  const rows = assigned(tf.tensor3d([boxes]), tf.zeros([1, points.count, CLASSES]), truth, {
    points,
    classes: CLASSES,
  }).arraySync();
  const learning = rows.flatMap((row, i) => (row[0]! > 0 ? [i] : []));
  // One point of each level, as its cell holds the middle.
  expect(learning.length).toBe(3);
});

it("gives the points of a teacher's box its score times what they get of a label", () => {
  const { truth, boxes, logits } = scene(new RandomStream('teacher'), 3);
  const width = boxesWidth(MOST);
  const targets = new Float32Array(width);
  writeBoxes(targets, 1, truth);
  const score = 0.25;
  const detections = truth.flatMap(({ label, xmin, ymin, xmax, ymax }) => [label, score, xmin, ymin, xmax, ymax]);
  const row = new Float32Array(4 * 6);
  row.set([...detections, -1]);
  const by = (boxesOf: ReturnType<typeof labelledBoxes>): number[][] =>
    assigned(tf.tensor3d([boxes.map((sides) => [...sides])]), tf.tensor3d([logits]), boxesOf, { points, classes: CLASSES }).arraySync(); // prettier-ignore
  const labelled = by(labelledBoxes(tf.tensor2d(targets, [1, width])));
  const taught = by(detectedBoxes(tf.tensor2d(row, [1, row.length]), 4));
  const total = labelled.reduce((sum, all) => sum + all.slice(4, 4 + CLASSES).reduce((a, b) => a + b), 0);
  expect(total).toBeGreaterThan(2);
  labelled.forEach((expected, i) => {
    expect(taught[i]!.slice(0, 4)).toEqual(expected.slice(0, 4));
    expected.slice(4, 4 + CLASSES).forEach((aim, c) => expect(taught[i]![4 + c]).toBeCloseTo(score * aim, 6));
    expect(taught[i]![4 + CLASSES]).toBeCloseTo(points.count / Math.max(1, score * total), 3);
  });
});
