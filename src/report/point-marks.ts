import { percent } from '../base/numbers.ts';
import { markup } from './html/markup.ts';
import type { Content } from './html/markup.ts';
import { boxColour } from './mask-colours.ts';

/** A point over a picture, x and y as shares of its sides. */
export interface MarkedPoint {
  /** Index of the point, which gives its colour, and by which lines name it. */
  readonly point: number;
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly score?: number;
  /** True for a labelled point that something covers. */
  readonly isHidden?: boolean;
}

/** Pairs of points by their indexes. */
type Lines = readonly (readonly [number, number])[];

/** Colour of a point, the same in all pictures. */
function cssColour(point: number): string {
  return `rgb(${boxColour(point).join(',')})`;
}

/** Points as SVG over a picture that is `across` wide and `down` high, with lines between those pairs of points that are both there. Hidden points are rings. */
export function pointMarks(
  points: readonly MarkedPoint[],
  lines: Lines,
  { across, down }: { readonly across: number; readonly down: number },
): Content {
  const at = new Map(points.map((one) => [one.point, one]));
  const [size, round] = [Math.max(across, down), (value: number): number => Number(value.toFixed(2))];
  const place = ({ x, y }: MarkedPoint): readonly [number, number] => [round(x * across), round(y * down)];
  const drawn = lines.flatMap(([from, to]) => {
    const ends = [at.get(from), at.get(to)];
    if (ends.includes(undefined)) return [];
    const [[x1, y1], [x2, y2]] = ends.map((end) => place(end!)) as [[number, number], [number, number]];
    const line = (colour: string, width: number): Content =>
      markup`<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${colour}" stroke-width="${round(width * size)}"/>`;
    return [line('#fff', 0.018), line('#333', 0.008)];
  });
  const circles = points.map((one) => {
    const [x, y] = place(one);
    const colour = cssColour(one.point);
    const said = `${one.name}${one.score === undefined ? '' : ` ${percent(one.score, 0)}`}`;
    return markup`<circle cx="${x}" cy="${y}" r="${round(0.022 * size)}" fill="${one.isHidden === true ? 'none' : colour}" stroke="${one.isHidden === true ? colour : '#fff'}" stroke-width="${round(0.01 * size)}"><title>${said}</title></circle>`;
  });
  return markup`${drawn}${circles}`;
}

type Colour = readonly [number, number, number];

const [WHITE, DARK]: readonly [Colour, Colour] = [
  [255, 255, 255],
  [51, 51, 51],
];

/** Draws what `pointMarks` draws into the pixels of a picture [height, width, 3]. */
export function drawPoints(
  pixels: Uint8Array,
  points: readonly MarkedPoint[],
  lines: Lines,
  { height, width }: { readonly height: number; readonly width: number },
): void {
  const size = Math.max(height, width);
  const at = new Map(points.map(({ point, x, y }) => [point, [x * width, y * height] as const]));
  /** Colours pixels of which `isIn` is true for the middle, around these places. */
  const fill = (
    places: readonly (readonly [number, number])[],
    reach: number,
    colour: Colour,
    isIn: (x: number, y: number) => boolean,
  ): void => {
    const [xs, ys] = [places.map(([x]) => x), places.map(([, y]) => y)];
    for (let y = Math.max(0, Math.floor(Math.min(...ys) - reach)); y < Math.min(height, Math.max(...ys) + reach); y++)
      for (let x = Math.max(0, Math.floor(Math.min(...xs) - reach)); x < Math.min(width, Math.max(...xs) + reach); x++)
        if (isIn(x + 0.5, y + 0.5)) pixels.set(colour, 3 * (y * width + x));
  };
  for (const [from, to] of lines) {
    const [a, b] = [at.get(from), at.get(to)];
    if (a === undefined || b === undefined) continue;
    for (const [half, colour] of [
      [0.009 * size, WHITE],
      [0.004 * size, DARK],
    ] as const)
      fill([a, b], half, colour, (x, y) => distanceToLine([x, y], a, b) <= half);
  }
  for (const { point, isHidden = false } of points) {
    const [cx, cy] = at.get(point)!;
    const [inner, outer] = [0.017 * size, 0.027 * size];
    const ring = isHidden ? boxColour(point) : WHITE;
    const distance = (x: number, y: number): number => Math.hypot(x - cx, y - cy);
    fill([[cx, cy]], outer, ring, (x, y) => distance(x, y) <= outer && distance(x, y) > inner);
    if (!isHidden) fill([[cx, cy]], inner, boxColour(point), (x, y) => distance(x, y) <= inner);
  }
}

/** Distance of a place from the line between two places. */
function distanceToLine(
  [x, y]: readonly [number, number],
  [ax, ay]: readonly [number, number],
  [bx, by]: readonly [number, number],
): number {
  const [dx, dy] = [bx - ax, by - ay];
  const share = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / Math.max(dx * dx + dy * dy, 1e-9)));
  return Math.hypot(x - ax - share * dx, y - ay - share * dy);
}
