import { RandomStream } from '../../../src/base/random.ts';
import { createAugmenter } from '../../../src/data/augment/augment.ts';
import { straight } from '../../../src/data/augment/geometry.ts';
import type { Geometry } from '../../../src/data/augment/geometry.ts';
import type { AugmentStep } from '../../../src/data/config.ts';
import { boxesOf, boxesWidth, picturePixels, writeBoxes } from '../../../src/data/targets/boxes.ts';
import type { TargetBox } from '../../../src/data/targets/boxes.ts';
import { moveBoxes } from '../../../src/answers/boxes/move.ts';

const MOST = 4;
const SIZE = { height: 32, width: 64 };

/** A box in pixels of a picture of `SIZE`. */
function box(label: number, [xmin, ymin, xmax, ymax]: readonly number[], isIgnored = false): TargetBox {
  const { height, width } = SIZE;
  const corners = { xmin: xmin! / width, ymin: ymin! / height, xmax: xmax! / width, ymax: ymax! / height };
  return { label, ...corners, area: 1000, isIgnored };
}

function rowOf(boxes: readonly TargetBox[]): Float32Array {
  const row = new Float32Array(boxesWidth(MOST));
  writeBoxes(row, 5000, boxes);
  return row;
}

/** Label, corners in pixels, and area of the moved boxes of a picture. */
function moved(boxes: readonly TargetBox[], maps: Geometry): number[][] {
  const row = moveBoxes(rowOf(boxes), [maps], SIZE);
  expect(row).toHaveLength(boxesWidth(MOST));
  expect(picturePixels(row, 0)).toBe(5000);
  const { height, width } = SIZE;
  return boxesOf(row, 0, MOST).map(({ label, xmin, ymin, xmax, ymax, area }) =>
    [label, xmin * width, ymin * height, xmax * width, ymax * height, area].map((value) => Number(value.toFixed(3))),
  );
}

function mapsOf(steps: readonly AugmentStep[], key: number): Geometry {
  const maps: Geometry = [];
  const normalization = { scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] };
  createAugmenter(steps, [SIZE.height, SIZE.width, 3], normalization)!(maps, new RandomStream('maps', key));
  return maps;
}

it('stays where nothing moves, and keeps what else a row holds', () => {
  const boxes = [box(2, [1, 2, 3, 4]), box(0, [10, 10, 20, 30], true)];
  expect(moveBoxes(rowOf(boxes), [[]], SIZE)).toEqual(rowOf(boxes));
  expect(boxesOf(moveBoxes(rowOf(boxes), [[straight([1, 1], [1, 0])]], SIZE), 0, MOST)[1]!.isIgnored).toBe(true);
});

it('is mirrored by a flip', () => {
  const [across, down] = [straight([-1, 63], [1, 0]), straight([1, 0], [-1, 31])];
  expect(moved([box(1, [4, 2, 14, 8])], [across])).toEqual([[1, 50, 2, 60, 8, 1000]]);
  expect(moved([box(1, [4, 2, 14, 8])], [down])).toEqual([[1, 4, 24, 14, 30, 1000]]);
  expect(moved([box(1, [4, 2, 14, 8])], [across, across])).toEqual([[1, 4, 2, 14, 8, 1000]]);
});

it('is cut at the border, with its share of the area, and dropped below a quarter', () => {
  const right = (by: number): Geometry => [straight([1, -by], [1, 0])];
  expect(moved([box(0, [40, 4, 60, 8])], right(10))).toEqual([[0, 50, 4, 64, 8, 700]]);
  expect(moved([box(0, [40, 4, 60, 8])], right(19))).toEqual([[0, 59, 4, 64, 8, 250]]);
  expect(moved([box(0, [40, 4, 60, 8])], right(20))).toEqual([]);
  expect(moved([box(0, [40, 4, 60, 8])], right(64))).toEqual([]);
});

it('does not come back after it was cut away, as its pixels do not', () => {
  const there = straight([1, -10], [1, 0]);
  const back = straight([1, 10], [1, 0]);
  expect(moved([box(0, [40, 4, 60, 8])], [there, back])).toEqual([[0, 40, 4, 54, 8, 700]]);
});

it('grows with a part of the picture that is enlarged', () => {
  // The left half of the picture, and its upper quarter.
  const maps: Geometry = [straight([0.5, -0.25], [0.25, -0.375])];
  expect(moved([box(3, [8, 2, 16, 4]), box(1, [33, 2, 40, 4])], maps)).toEqual([[3, 16, 8, 32, 16, 8000]]);
});

it('is the upright box around a turned box', () => {
  const [cos, sin] = [Math.cos(Math.PI / 4), Math.sin(Math.PI / 4)];
  const [middleX, middleY] = [31.5, 15.5];
  const map = {
    ...{ xx: cos, xy: -sin, x0: middleX - cos * middleX + sin * middleY },
    ...{ yx: sin, yy: cos, y0: middleY - sin * middleX - cos * middleY },
  };
  const half = 8 * cos;
  const [expected] = moved([box(0, [28, 12, 36, 20])], [map]);
  expect(expected).toEqual([0, 32 - half, 16 - half, 32 + half, 16 + half, 1000].map((value) => Number(value.toFixed(3)))); // prettier-ignore
});

it('keeps the order of the boxes, and pads behind them', () => {
  const boxes = [box(3, [0, 0, 8, 8]), box(2, [50, 0, 60, 8]), box(1, [20, 0, 30, 8])];
  const row = moveBoxes(rowOf(boxes), [[straight([1, -12], [1, 0])]], SIZE);
  expect(boxesOf(row, 0, MOST).map(({ label }) => label)).toEqual([3, 1]);
  expect([...row.subarray(boxesWidth(2))].filter((value) => value !== 0)).toEqual([-1, -1]);
});

it('moves each picture of a batch by its own maps', () => {
  const row = rowOf([box(0, [0, 0, 8, 8])]);
  const both = new Float32Array([...row, ...row]);
  const out = moveBoxes(both, [[straight([1, -8], [1, 0])], []], SIZE);
  const width = boxesWidth(MOST);
  expect([0, width].map((start) => boxesOf(out, start, MOST)[0]!.xmin * SIZE.width)).toEqual([8, 0]);
});

const STEPS: readonly (readonly [string, AugmentStep[]])[] = [
  ['shift', [{ shift: 5 }]],
  ['flip', [{ flip: 'horizontal' }]],
  ['rotate', [{ rotate: 180 }]],
  ['resizedCrop', [{ resizedCrop: { area: [0.3, 1] } }]],
  ['randAugment', [{ randAugment: { operations: 3, magnitude: 20 } }]],
  ['several', [{ flip: 'vertical' }, { rotate: 30 }, { crop: 6 }, { resizedCrop: {} }]],
];

it.each(STEPS)('surrounds the pixels that its picture shows of it: %s', (name, steps) => {
  const { height, width } = SIZE;
  let compared = 0;
  for (let i = 0; i < 40; i++) {
    const random = new RandomStream(name, i);
    const [left, top] = [random.below(width - 12), random.below(height - 8)];
    const [right, bottom] = [left + 8 + random.below(width - left - 8), top + 6 + random.below(height - top - 6)];
    const maps = mapsOf(steps, i);
    // A picture that is 1 in the box and 0 elsewhere, moved by the maps to the nearest pixel.
    const seen = { xmin: Infinity, ymin: Infinity, xmax: -Infinity, ymax: -Infinity };
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        let [u, v, isInside] = [x, y, true];
        for (const { xx, xy, x0, yx, yy, y0 } of maps.toReversed()) {
          [u, v] = [xx * u + xy * v + x0, yx * u + yy * v + y0];
          isInside &&= u >= -0.5 && u <= width - 0.5 && v >= -0.5 && v <= height - 0.5;
        }
        if (!isInside || u < left - 0.5 || u > right - 0.5 || v < top - 0.5 || v > bottom - 0.5) continue;
        Object.assign(seen, { xmin: Math.min(seen.xmin, x), xmax: Math.max(seen.xmax, x + 1) });
        Object.assign(seen, { ymin: Math.min(seen.ymin, y), ymax: Math.max(seen.ymax, y + 1) });
      }
    const [found] = moved([box(0, [left, top, right, bottom])], maps);
    if (found === undefined) continue;
    compared++;
    [seen.xmin, seen.ymin, seen.xmax, seen.ymax].forEach((edge, k) => expect(Math.abs(edge - found[k + 1]!)).toBeLessThan(1.5)); // prettier-ignore
  }
  expect(compared).toBeGreaterThan(15);
});
