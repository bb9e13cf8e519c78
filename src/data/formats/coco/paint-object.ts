import { shown, UserError } from '../../../base/errors.ts';
import type { MaskSize } from '../../pictures/mask.ts';

/** Run lengths of COCO: pixels column by column, of which every second run, from the second on, is of the object; a list, or packed as a text. */
interface RunLengths {
  readonly size: readonly [height: number, width: number];
  readonly counts: readonly number[] | string;
}

/** Polygons, each [x, y, x, y, …] in pixels, or run lengths. */
export type CocoMask = readonly (readonly number[])[] | RunLengths;

/**
 * Writes `value` into `mask` [height, width] at the pixels of an object. `UserError` if the run lengths do not add up to height · width, or if a
 * polygon reaches so far out of the picture that its boundary has no end.
 */
export function paintObject(mask: Uint8Array, size: MaskSize, object: CocoMask, value: number, where: string): void {
  const { height, width } = size;
  const paint = (flips: Uint8Array): void => {
    for (let x = 0, at = 0, inside = 0; x < width; x++)
      for (let y = 0; y < height; y++, at++) {
        inside ^= flips[at]!;
        if (inside === 1) mask[y * width + x] = value;
      }
  };
  if ('counts' in object) paint(flipsOfRuns(object, size, where));
  else object.forEach((polygon, i) => paint(flipsOfPolygon(polygon, size, `${where}[${i}]`)));
}

/** Places [width · height + 1], column by column, at which runs begin or end. */
function flipsOfRuns({ size, counts }: RunLengths, { height, width }: MaskSize, where: string): Uint8Array {
  if (size[0] !== height || size[1] !== width)
    throw new UserError(
      `${where}.size: the mask is ${size[0]}x${size[1]} (height x width), and its picture ${height}x${width}`,
      'A mask has a pixel for each pixel of its picture.',
    );
  const runs = typeof counts === 'string' ? unpacked(counts, where) : counts;
  const flips = new Uint8Array(height * width + 1);
  let end = 0;
  for (const [i, run] of runs.entries()) {
    end += run;
    if (run < 0 || end > height * width)
      throw otherSum(`${where}.counts[${i}]`, `the runs up to it have ${end} pixels`, height * width);
    flips[end]! ^= 1;
  }
  if (end !== height * width) throw otherSum(`${where}.counts`, `the runs have ${end} pixels`, height * width);
  return flips;
}

function otherSum(where: string, fact: string, pixels: number): UserError {
  return new UserError(`${where}: ${fact}, expected ${pixels} of all runs together`, 'Export the annotations anew.');
}

/**
 * Run lengths of pycocotools' text: numbers of 5 bits a sign, of which the sixth says that more follow; from the fourth number on, what is stored is the
 * difference from the number two before.
 */
function unpacked(text: string, where: string): number[] {
  const runs: number[] = [];
  for (let at = 0; at < text.length;) {
    let [value, bits, more] = [0, 0, true];
    while (more) {
      const sign = text.charCodeAt(at++) - 48;
      // A length has 32 bits, seven signs of 5.
      if (!(sign >= 0 && sign < 64) || bits > 30)
        throw new UserError(
          `${where}.counts: the text is no run lengths from character ${at} on (of ${text.length})`,
          'Export the annotations anew.',
        );
      value |= (sign & 31) << bits;
      bits += 5;
      more = (sign & 32) !== 0;
      if (!more && (sign & 16) !== 0 && bits < 32) value |= -1 << bits;
    }
    runs.push(runs.length > 2 ? value + runs[runs.length - 2]! : value);
  }
  return runs;
}

/** Steps of a boundary in a pixel. */
const STEPS = 5;
/** Maximum steps of a boundary for each pixel of its picture, and for a picture without pixels: lines of every pixel have a tenth of that. */
const [MOST_STEPS, LEAST_STEPS] = [100, 1e6];

/**
 * Places, column by column, at which a polygon's boundary is crossed: pycocotools' `frPoly`, whose boundary runs on a grid of five steps a pixel. The
 * same places as there, so that masks and figures are those of other tools.
 */
function flipsOfPolygon(polygon: readonly number[], { height, width }: MaskSize, where: string): Uint8Array {
  const count = polygon.length / 2;
  const corner = (i: number): readonly [number, number] => {
    const at = 2 * (i % count);
    return [Math.trunc(STEPS * polygon[at]! + 0.5), Math.trunc(STEPS * polygon[at + 1]! + 0.5)];
  };
  const flips = new Uint8Array(height * width + 1);
  let [lastX, lastY] = [NaN, NaN];
  let left = LEAST_STEPS + MOST_STEPS * height * width;
  const visit = (x: number, y: number): void => {
    if (x !== lastX && !Number.isNaN(lastX)) {
      const column = ((x < lastX ? x : x - 1) + 0.5) / STEPS - 0.5;
      if (Number.isInteger(column) && column >= 0 && column <= width - 1) {
        const row = Math.ceil(Math.min(height, Math.max(0, (Math.min(y, lastY) + 0.5) / STEPS - 0.5)));
        flips[column * height + row]! ^= 1;
      }
    }
    [lastX, lastY] = [x, y];
  };
  for (let i = 0; i < count; i++) {
    const [from, to] = [corner(i), corner(i + 1)];
    const [dx, dy] = [Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1])];
    const [long, wide] = dx >= dy ? [0, 1] : [1, 0];
    const length = Math.max(dx, dy);
    left -= length;
    if (left < 0)
      throw new UserError(
        `${where}: the polygon reaches too far out of its picture of ${height}x${width} pixels (height x width), or around too often: corner ${i + 1} is at ${shown(polygon[2 * ((i + 1) % count)])}, ${shown(polygon[2 * ((i + 1) % count) + 1])}`,
        'Correct its corners, which are in pixels of the picture.',
      );
    // An edge is followed upwards, so that its points do not depend on its direction.
    const isTurned = from[long]! > to[long]!;
    const [low, high] = isTurned ? [to, from] : [from, to];
    const slope = length === 0 ? 0 : (high[wide]! - low[wide]!) / length;
    for (let d = 0; d <= length; d++) {
      const t = isTurned ? length - d : d;
      const along = low[long]! + t;
      const beside = Math.trunc(low[wide]! + slope * t + 0.5);
      if (long === 0) visit(along, beside);
      else visit(beside, along);
    }
  }
  return flips;
}
