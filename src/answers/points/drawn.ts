import type { DrawingContext } from '../../data/pictures/canvas.ts';
import { boxColour } from '../../report/mask-colours.ts';

/** A point in pixels of the picture that it is drawn over, and its score from 0 to 1. */
interface Drawn {
  readonly x: number;
  readonly y: number;
  readonly score: number;
}

/** Points by name, undefined if they are absent, and the pairs of their indexes that lines join. */
type Points = readonly (Drawn | undefined)[];
type Skeleton = readonly (readonly [number, number])[];

/** A line with round ends, in pixels; a line without length is a disc. */
interface Stroke {
  readonly from: Drawn;
  readonly to: Drawn;
  readonly width: number;
  readonly colour: readonly [red: number, green: number, blue: number];
}

const WHITE = [255, 255, 255] as const;

/** Opacity of a stroke: it grows with the lower score of its two points. */
const opacityOf = ({ from, to }: Stroke): number => Math.sqrt(Math.min(from.score, to.score));

/** Lines, in the colour of the second point, and over them the points, all with a white edge. */
function strokesOf(points: Points, skeleton: Skeleton, height: number, width: number): Stroke[] {
  const thick = Math.max(2, Math.min(height, width) / 60);
  const between = (a: number, b: number, own: number): Stroke[] => {
    const [from, to] = [points[a], points[b]];
    if (from === undefined || to === undefined) return [];
    return [
      { from, to, width: own + 0.6 * thick, colour: WHITE },
      { from, to, width: own, colour: boxColour(b) },
    ];
  };
  return [
    ...skeleton.flatMap(([a, b]) => between(a, b, thick)),
    ...points.flatMap((_, k) => between(k, k, 2.4 * thick)),
  ];
}

/** Draws points and their skeleton, in a browser. */
export function strokePoints(context: DrawingContext, points: Points, skeleton: Skeleton): void {
  context.lineCap = 'round';
  for (const stroke of strokesOf(points, skeleton, context.canvas.height, context.canvas.width)) {
    context.globalAlpha = opacityOf(stroke);
    context.strokeStyle = `rgb(${stroke.colour.join(',')})`;
    context.lineWidth = stroke.width;
    context.beginPath();
    context.moveTo(stroke.from.x, stroke.from.y);
    // Some browsers draw no line without length.
    context.lineTo(stroke.to.x + 0.01, stroke.to.y);
    context.stroke();
  }
  context.globalAlpha = 1;
}

/** Draws the same into a picture, [height, width, 3] from 0 to 255. */
export function paintPoints(
  pixels: Uint8Array,
  { height, width }: { readonly height: number; readonly width: number },
  points: Points,
  skeleton: Skeleton,
): void {
  for (const stroke of strokesOf(points, skeleton, height, width)) {
    const { from, to, width: thick, colour } = stroke;
    const reach = thick / 2 + 1;
    const [across, down] = [to.x - from.x, to.y - from.y];
    const end = (a: number, b: number, most: number): [number, number] => [
      Math.max(0, Math.floor(Math.min(a, b) - reach)),
      Math.min(most, Math.ceil(Math.max(a, b) + reach)),
    ];
    const [[left, right], [top, bottom]] = [end(from.x, to.x, width), end(from.y, to.y, height)];
    for (let y = top; y < bottom; y++)
      for (let x = left; x < right; x++) {
        const [dx, dy] = [x + 0.5 - from.x, y + 0.5 - from.y];
        const along = Math.min(1, Math.max(0, (dx * across + dy * down) / (across ** 2 + down ** 2 || 1)));
        const distance = Math.hypot(dx - along * across, dy - along * down);
        const share = opacityOf(stroke) * Math.min(1, Math.max(0, thick / 2 + 0.5 - distance));
        const at = 3 * (y * width + x);
        for (let c = 0; c < 3; c++) pixels[at + c]! += Math.round(share * (colour[c]! - pixels[at + c]!));
      }
  }
}
