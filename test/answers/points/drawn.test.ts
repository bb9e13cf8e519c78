import { FakeElement, fakes } from '../../support/fake-page.ts';
import { paintPoints } from '../../../src/answers/points/drawn.ts';
import { shown } from '../../../src/answers/points/shown.ts';
import { boxColour } from '../../../src/report/mask-colours.ts';

const [HEIGHT, WIDTH] = [40, 60];
const POINTS = [{ x: 10, y: 10, score: 1 }, { x: 40, y: 10, score: 1 }, undefined, { x: 40.5, y: 30.5, score: 0.25 }];
const CHAIN = [
  [0, 1],
  [1, 2],
  [1, 3],
] as const;

it('points are painted over lines, as opaque as they are sure; absent points have neither', () => {
  const pixels = new Uint8Array(HEIGHT * WIDTH * 3).fill(100);
  paintPoints(pixels, { height: HEIGHT, width: WIDTH }, POINTS, CHAIN);
  const at = (x: number, y: number): number[] => [...pixels.subarray(3 * (y * WIDTH + x))].slice(0, 3);
  // The opacity is the root of the score: half of what lies under it, first a white edge, then the colour.
  const halves = (index: number, under: readonly number[]): number[] =>
    [[255, 255, 255], boxColour(index)].reduce<readonly number[]>(
      (below, colour) => colour.map((value, c) => below[c]! + Math.round(0.5 * (value - below[c]!))),
      under,
    ) as number[];
  const grey = [100, 100, 100];
  expect([at(10, 10), at(40, 10), at(25, 10)]).toEqual([boxColour(0), boxColour(1), boxColour(1)]);
  expect(at(40, 20)).toEqual(halves(3, grey));
  expect(at(40, 30)).toEqual(halves(3, halves(3, grey)));
  expect([at(25, 14), at(10, 16), at(0, 0), at(59, 39)]).toEqual([grey, grey, grey, grey]);
});

it('a point at the edge is painted as far as the picture goes', () => {
  const pixels = new Uint8Array(HEIGHT * WIDTH * 3);
  paintPoints(pixels, { height: HEIGHT, width: WIDTH }, [{ x: WIDTH, y: 0, score: 1 }], []);
  expect([...pixels.subarray(3 * (WIDTH - 1), 3 * WIDTH)]).toEqual([...boxColour(0)]);
  expect(pixels.filter((value) => value > 0).length).toBeLessThan(60);
});

it('the page draws the skeleton that the server states over the picture, in the pixels of its canvas', () => {
  const picture = new FakeElement('canvas');
  picture.setAttribute('width', '30');
  picture.setAttribute('height', '20');
  const points = [
    { name: 'tip', x: 10, y: 10, score: 1 },
    { name: 'base', x: 40, y: 30, score: 0.5 },
  ];
  const answer = { height: HEIGHT, width: WIDTH, points };
  const described = { shape: [8, 8, 3], logits: true, skeleton: [[0, 1]] };
  const [canvas, list] = fakes(shown.shown(answer, undefined, picture as never, described).elements(0));
  const moves = canvas!.drawn.filter(([method]) => method === 'moveTo' || method === 'lineTo');
  // Each twice: its white edge and its colour.
  const [line, first, second] = [
    [['moveTo', 5, 5], ['lineTo', 20.01, 15]],
    [['moveTo', 5, 5], ['lineTo', 5.01, 5]],
    [['moveTo', 20, 15], ['lineTo', 20.01, 15]],
  ] as const; // prettier-ignore
  expect(moves).toEqual([...line, ...line, ...first, ...first, ...second, ...second]);
  expect(list!.text).toMatch(/tip 10, 10 .*base 40, 30/);
});
