import type { Geometry, PixelMap } from '../../data/augment/geometry.ts';
import { boxesOf, BOX_WIDTH, picturePixels, writeBoxes } from '../../data/targets/boxes.ts';
import type { TargetBox } from '../../data/targets/boxes.ts';
import type { TargetMover } from '../../data/targets/reader.ts';

/** Share of a box that must remain in the picture; boxes of which less remains are left out. */
const VISIBLE = 0.25;

interface Size {
  readonly height: number;
  readonly width: number;
}

/** In pixels from the top left corner of the picture. */
type Point = readonly [x: number, y: number];

/**
 * Moves boxes with their pictures: a moved box is the smallest upright box around the part of the old box that remains in the picture. Its area
 * grows and shrinks with that part. The order of the boxes stays.
 */
export const moveBoxes: TargetMover<Float32Array> = (targets, geometries, size) => {
  const out = new Float32Array(targets.length);
  const width = targets.length / geometries.length;
  geometries.forEach((maps, i) => {
    const row = out.subarray(i * width, (i + 1) * width);
    const boxes = boxesOf(targets, i * width, (width - 1) / BOX_WIDTH);
    const moved = boxes.map((box) => movedBox(box, maps, size)).filter((box) => box !== undefined);
    writeBoxes(row, picturePixels(targets, i * width), moved);
  });
  return out;
};

/** Undefined if too little of the box remains. */
function movedBox(box: TargetBox, maps: Geometry, { height, width }: Size): TargetBox | undefined {
  if (maps.length === 0) return box;
  const [left, top, right, bottom] = [box.xmin * width, box.ymin * height, box.xmax * width, box.ymax * height];
  let outline: readonly Point[] = [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ];
  const before = areaWithin(outline);
  let whole = before;
  for (const map of maps) {
    outline = cutAt(outline.map(movedBy(map)), { height, width });
    whole /= Math.abs(map.xx * map.yy - map.xy * map.yx);
  }
  const visible = areaWithin(outline);
  if (outline.length === 0 || visible < VISIBLE * whole) return undefined;
  const [xs, ys] = [outline.map(([x]) => x / width), outline.map(([, y]) => y / height)];
  return {
    ...box,
    xmin: Math.min(...xs),
    ymin: Math.min(...ys),
    xmax: Math.max(...xs),
    ymax: Math.max(...ys),
    area: (box.area * visible) / before,
  };
}

/** Maps lead from the changed picture to the picture before, from centre of a pixel to centre of a pixel. */
function movedBy({ xx, xy, x0, yx, yy, y0 }: PixelMap): (point: Point) => Point {
  const determinant = xx * yy - xy * yx;
  return ([x, y]) => {
    const [u, v] = [x - 0.5 - x0, y - 0.5 - y0];
    return [(yy * u - xy * v) / determinant + 0.5, (xx * v - yx * u) / determinant + 0.5];
  };
}

/** The part of a convex outline that lies in the picture (Sutherland & Hodgman 1974, "Reentrant polygon clipping"). */
function cutAt(outline: readonly Point[], { height, width }: Size): readonly Point[] {
  const inward: readonly ((point: Point) => number)[] = [
    ([x]) => x,
    ([x]) => width - x,
    ([, y]) => y,
    ([, y]) => height - y,
  ];
  return inward.reduce(
    (points, depth) =>
      points.flatMap((point, i) => {
        const next = points[(i + 1) % points.length]!;
        const [own, other] = [depth(point), depth(next)];
        const share = own / (own - other);
        const crossing: Point = [point[0] + share * (next[0] - point[0]), point[1] + share * (next[1] - point[1])];
        return [...(own >= 0 ? [point] : []), ...(own * other < 0 ? [crossing] : [])];
      }),
    outline,
  );
}

/** Area of a polygon by the shoelace formula. */
function areaWithin(outline: readonly Point[]): number {
  const twice = outline.reduce((sum, [x, y], i) => {
    const [nextX, nextY] = outline[(i + 1) % outline.length]!;
    return sum + x * nextY - nextX * y;
  }, 0);
  return Math.abs(twice) / 2;
}
