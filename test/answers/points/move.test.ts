import { rowOfPoints, labelledPoints, UNPAIRED, VISIBLE } from '../../../src/answers/points/layout.ts';
import { movePoints } from '../../../src/answers/points/move.ts';
import { straight } from '../../../src/data/augment/geometry.ts';

const SIZE = { width: 8, height: 4 };
const point = (x: number, y: number) => ({ x, y, visibility: VISIBLE });

function moved(partners: readonly number[], maps: ReturnType<typeof straight>[]) {
  const row = rowOfPoints({ ...SIZE, area: 9 }, [point(0.25, 0.5), point(0.5, 0.25), point(1, 1)], partners);
  return labelledPoints(movePoints(row, [maps], SIZE), 0, 3);
}

it('a flip mirrors places, and points of a pair change their names', () => {
  const flip = straight([-1, SIZE.width - 1], [1, 0]);
  expect(moved([1, 0, 2], [flip])).toEqual([point(0.5, 0.25), point(0.75, 0.5), point(0, 1)]);
  expect(moved([1, 0, 2], [flip, flip])).toEqual([point(0.25, 0.5), point(0.5, 0.25), point(1, 1)]);
});

it('a flip without pairs is refused', () => {
  expect(() => moved([UNPAIRED, UNPAIRED, UNPAIRED], [straight([-1, 7], [1, 0])])).toThrow('dataset.flipPairs');
});

it('points that a crop leaves outside become absent', () => {
  // The left half of the picture becomes the whole.
  const crop = straight([0.5, -0.25], [1, 0]);
  expect(moved([0, 1, 2], [crop])).toEqual([point(0.5, 0.5), point(1, 0.25), { x: 0, y: 0, visibility: 0 }]);
});

it('a quarter turn moves points as it moves pixels', () => {
  const square = { width: 4, height: 4 };
  const row = rowOfPoints({ ...square, area: 1 }, [point(0.25, 0)], [0]);
  // Pixel (x, y) of the turned picture shows pixel (y, 3 - x).
  const turn = { xx: 0, xy: 1, x0: 0, yx: -1, yy: 0, y0: 3 };
  expect(labelledPoints(movePoints(row, [[turn]], square), 0, 1)).toEqual([point(1, 0.25)]);
});
