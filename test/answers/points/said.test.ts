import { said, saidPoints } from '../../../src/answers/points/said.ts';

const NAMES = ['tip', 'base'];
/** A picture that is twice as wide as high, in a square input. */
const PLACED = { height: 100, width: 200, place: { left: 0, top: 0.25, across: 1, down: 0.5 } };
const BINS = 8;

/** Logits of points at these columns and rows. */
function logitsAt(...best: readonly number[]): number[] {
  return best.flatMap((place) => Array.from({ length: BINS }, (_, i) => (i === place ? 9 : 0)));
}

it('points of logits and points that the file decodes lie in pixels of the picture that was sent', () => {
  const { points, ...size } = saidPoints(logitsAt(1, 3, 6, 4), { names: NAMES, logits: true }, PLACED);
  expect(size).toEqual({ height: 100, width: 200 });
  expect(points).toEqual([
    { name: 'tip', x: 200 * (1.5 / 8), y: 100 * ((3.5 / 8 - 0.25) / 0.5), score: 1 },
    { name: 'base', x: 200 * (6.5 / 8), y: 100 * ((4.5 / 8 - 0.25) / 0.5), score: 1 },
  ]);
  const decoded = saidPoints([0.5, 0.5, 0.75, 0.125, 0, 0.25], { names: NAMES, logits: false }, PLACED);
  // A point in the grey above the picture is at its upper edge.
  expect(decoded.points).toEqual([
    { name: 'tip', x: 100, y: 50, score: 0.75 },
    { name: 'base', x: 25, y: 0, score: 0.25 },
  ]);
});

it('numbers that are no points are refused', () => {
  expect(() => saidPoints([1, 2, 3, 4, 5], { names: NAMES, logits: true }, PLACED)).toThrow('no places of 2 points');
  expect(() => saidPoints([1, 2, 3, 4], { names: NAMES, logits: false }, PLACED)).toThrow('no places of 2 points');
  expect(() => saidPoints([0, NaN, 0, 0, 0, 0], { names: NAMES, logits: false }, PLACED)).toThrow('not finite');
});

it.each([
  ['[[0,1]]', { skeleton: [[0, 1]] }],
  ['[]', { skeleton: [] }],
  ['[[0,2]]', {}],
  ['[[0,1,1]]', {}],
  ['[[0', {}],
  [undefined, {}],
])('a skeleton that a file states is told if it joins points that are there: %s', (text, told) => {
  const metadata = new Map(text === undefined ? [] : [['skeleton', text]]);
  const stated = said.stated!({ metadata } as never, { names: NAMES, text: undefined });
  expect(stated).toEqual(told);
});
