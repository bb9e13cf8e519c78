import { RandomStream } from '../../../src/base/random.ts';
import { stepsAt } from '../../../src/data/augment/kinds.ts';
import { batches, viewOf } from '../../../src/data/batches/batches.ts';
import type { AugmentStep } from '../../../src/data/config.ts';
import { sharedBytes } from '../../../src/data/dataset.ts';
import type { Dataset } from '../../../src/data/dataset.ts';
import { boxesOf, boxesWidth, writeBoxes } from '../../../src/data/targets/boxes.ts';
import { datasetOf } from '../support.ts';

const [COUNT, HEIGHT, WIDTH, MOST] = [24, 40, 60, 4];
const size = HEIGHT * WIDTH;

/** Pictures of the value 100 + row with a rectangle of the value 200 + row, and the rectangle's box, whose class is the row. */
function rectangles(): Dataset {
  const random = new RandomStream('rectangles');
  const samples = sharedBytes(COUNT * size);
  const targets = new Float32Array(COUNT * boxesWidth(MOST));
  for (let row = 0; row < COUNT; row++) {
    samples.fill(100 + row, row * size, (row + 1) * size);
    const [top, left] = [random.below(20), random.below(30)];
    const [bottom, right] = [top + 12 + random.below(8), left + 12 + random.below(18)];
    for (let y = top; y < bottom; y++) samples.fill(200 + row, row * size + y * WIDTH + left, row * size + y * WIDTH + right);
    const box = { xmin: left / WIDTH, ymin: top / HEIGHT, xmax: right / WIDTH, ymax: bottom / HEIGHT };
    const area = (bottom - top) * (right - left);
    writeBoxes(targets.subarray(row * boxesWidth(MOST), (row + 1) * boxesWidth(MOST)), size, [{ ...box, label: row, area, isIgnored: false }]);
  }
  return { ...datasetOf(samples, [HEIGHT, WIDTH, 1]), task: 'detection', targets, maxBoxes: MOST };
} // prettier-ignore
const dataset = rectangles();
const mosaic = (probability: number): AugmentStep => ({ mosaic: { probability } });
const options = { batchSize: 8, seed: 3, epoch: 1 };
const shown = (data: Dataset, augment: readonly AugmentStep[]) =>
  [...batches(data, { ...options, augment })].flatMap(({ ids, x, targets }) =>
    Array.from(ids, (row, i) => ({
      row,
      values: Array.from(x.subarray(i * size, (i + 1) * size), (value) => 255 * value),
      boxes: boxesOf(targets, i * boxesWidth(MOST), MOST),
    })),
  );

it.each([[[]], [[{ flip: 'horizontal' }, { resizedCrop: { area: [0.6, 1] } }]]] as AugmentStep[][][])(
  'a mosaic shows four pictures, and its boxes lie around what they mark, also after %j',
  (more) => {
    const seen = shown(dataset, [mosaic(1), ...more]);
    let boxes = 0;
    for (const { row, values, boxes: found } of seen) {
      const pictures = new Set(values.map(Math.round).filter((value) => value >= 100 && value < 100 + COUNT));
      expect(pictures.size).toBeGreaterThanOrEqual(more.length === 0 ? 3 : 1);
      if (more.length === 0) expect(pictures).toContain(100 + row);
      for (const { label, xmin, ymin, xmax, ymax } of found) {
        const inside = values.flatMap((value, at) => (Math.abs(value - 200 - label) < 0.1 ? [at] : []));
        // Another picture of the same row may be shown beside it.
        const [xs, ys] = [inside.map((at) => at % WIDTH), inside.map((at) => Math.floor(at / WIDTH))];
        if (found.filter((other) => other.label === label).length > 1) continue;
        expect(Math.abs(Math.min(...xs) - xmin * WIDTH)).toBeLessThan(2.5);
        expect(Math.abs(Math.max(...xs) + 1 - xmax * WIDTH)).toBeLessThan(2.5);
        expect(Math.abs(Math.min(...ys) - ymin * HEIGHT)).toBeLessThan(2.5);
        expect(Math.abs(Math.max(...ys) + 1 - ymax * HEIGHT)).toBeLessThan(2.5);
        boxes++;
      }
    }
    expect(boxes).toBeGreaterThan(COUNT);
  },
);

it('a share of the samples is shown alone, as without the step', () => {
  const alone = new Map(shown(dataset, []).map(({ row, ...sample }) => [row, sample]));
  const same = shown(dataset, [mosaic(0.5)]).filter(
    ({ row, ...sample }) => JSON.stringify(sample) === JSON.stringify(alone.get(row)),
  );
  expect(same.length).toBeGreaterThan(5);
  expect(same.length).toBeLessThan(COUNT - 5);
});

it('a picture stands alone where a row has no room for the boxes of four', () => {
  const width = boxesWidth(3);
  const targets = new Float32Array(COUNT * width);
  for (let row = 0; row < COUNT; row++)
    writeBoxes(targets.subarray(row * width, (row + 1) * width), size, boxesOf(dataset.targets, row * boxesWidth(MOST), MOST)); // prettier-ignore
  const narrow = { ...dataset, targets, maxBoxes: 3 };
  const [first] = batches(narrow, { ...options, augment: [mosaic(1)] });
  const [plain] = batches(narrow, options);
  expect(first!.x).toEqual(plain!.x);
  expect(first!.targets).toEqual(plain!.targets);
});

it('samples with boxes are joined with such samples alone, and those without with those without', () => {
  const labelled = Uint8Array.from({ length: COUNT }, (_, row) => Number(row % 3 === 0));
  for (const { row, values } of shown({ ...dataset, labelled }, [mosaic(1)])) {
    // Values that few pixels have lie between a rectangle and its picture.
    const pictures = Array.from({ length: COUNT }, (_, other) => other).filter(
      (other) => values.filter((value) => Math.abs(value - 100 - other) < 1e-3).length > 50,
    );
    expect(pictures.length).toBeGreaterThan(0);
    expect(pictures.every((other) => labelled[other] === labelled[row])).toBe(true);
  }
});

it('a view shows the mosaics of its batches', () => {
  const augment = [mosaic(1)];
  for (const { ids, x, view } of batches(dataset, { ...options, augment, views: 2, viewSeed: 9 }))
    expect(viewOf(dataset, ids, { seed: 9, view: view!, augment })).toEqual(x);
});

it('mosaics end before a training does', () => {
  const steps: AugmentStep[] = [{ mosaic: { probability: 1 } }, { flip: 'horizontal' }];
  expect(stepsAt(steps, 0.84)).toEqual(steps);
  expect(stepsAt(steps, 0.85)).toEqual([{ flip: 'horizontal' }]);
});
