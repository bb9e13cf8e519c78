/** Input pixels that each output pixel along a side is computed from, and their weights. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** [output, most]: weights of the input pixels of each output pixel, with sum 1. */
  readonly weights: Float64Array;
  readonly most: number;
}

/** Weight of a pixel by its distance from the centre of the output pixel; 0 from `reach` on. */
export interface ResizeFilter {
  readonly reach: number;
  readonly weight: (distance: number) => number;
}

/** Triangle filter, as in Pillow's `Image.resize(..., BILINEAR)` and torchvision's `Resize`. */
const BILINEAR: ResizeFilter = { reach: 1, weight: (distance) => Math.max(0, 1 - Math.abs(distance)) };

/**
 * Windowed sinc with three lobes, as Pillow's `LANCZOS`. sharp scales pictures of a recipe with the same filter, after halving very large ones:
 * pixels of reduced pictures differ by about one level of 255.
 */
export const LANCZOS: ResizeFilter = {
  reach: 3,
  weight: (distance) => (Math.abs(distance) < 3 ? sinc(distance) * sinc(distance / 3) : 0),
};

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** Keys' cubic with a = -0.5, as Pillow's `BICUBIC`. */
const BICUBIC: ResizeFilter = {
  reach: 2,
  weight: (distance) => {
    const x = Math.abs(distance);
    if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
  },
};

export const FILTERS = { bilinear: BILINEAR, bicubic: BICUBIC, lanczos: LANCZOS };

/** Filter and cut that scale a picture to the size of a model's input. */
export interface Resizing {
  /** Default: bilinear. */
  readonly filter?: keyof typeof FILTERS | undefined;
  /** Length of the shorter side, or height and width, of which the middle is cut out; default: nothing is cut away. */
  readonly cutFrom?: number | readonly [number, number] | undefined;
  /** Proportions are kept, with grey beside the picture; default: they may change. */
  readonly fit?: 'letterbox' | undefined;
}

/** With antialiasing: distances are in pixels of the smaller picture. */
function tapsOf(from: number, to: number, filter: ResizeFilter): Taps {
  const scale = from / to;
  const size = Math.max(scale, 1);
  const reach = filter.reach * size;
  const most = Math.ceil(reach) * 2 + 1;
  const [first, count] = [new Int32Array(to), new Int32Array(to)];
  const weights = new Float64Array(to * most);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - reach + 0.5));
    const end = Math.min(from, Math.trunc(centre + reach + 0.5));
    first[i] = start;
    count[i] = end - start;
    let sum = 0;
    for (let k = 0; k < end - start; k++) {
      const weight = filter.weight((k + start - centre + 0.5) / size);
      weights[i * most + k] = weight;
      sum += weight;
    }
    for (let k = 0; k < end - start; k++) weights[i * most + k]! /= sum;
  }
  return { first, count, weights, most };
}

type Pixels = Uint8Array | Float32Array;

interface Lines {
  /** Number of lines outside of the resized axis, and elements inside of it. */
  readonly outer: number;
  readonly inner: number;
  readonly from: number;
  readonly to: number;
  readonly filter: ResizeFilter;
}

/** Fractional bits of a weight for 8-bit pictures, as in Pillow. */
const BITS = 22;

/** Resizes one axis: [outer, from, inner] to [outer, to, inner]. */
function pass<P extends Pixels>(source: P, { outer, inner, from, to, filter }: Lines, out: P): P {
  const { first, count, weights, most } = tapsOf(from, to, filter);
  const isByte = source instanceof Uint8Array;
  // Bytes are summed in integers, so every machine rounds alike.
  const factors = isByte ? weights.map((weight) => Math.trunc(weight * 2 ** BITS + Math.sign(weight) / 2)) : weights;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < to; i++) {
      const [start, taps] = [(o * from + first[i]!) * inner, count[i]!];
      const at = (o * to + i) * inner;
      for (let c = 0; c < inner; c++) {
        let sum = isByte ? 2 ** (BITS - 1) : 0;
        for (let k = 0, p = start + c; k < taps; k++, p += inner) sum += source[p]! * factors[i * most + k]!;
        out[at + c] = isByte ? Math.max(0, Math.min(255, sum >> BITS)) : sum;
      }
    }
  }
  return out;
}

/**
 * Resizes a picture [height, width, channels]. 8-bit pictures equal Pillow's: horizontally, then vertically, each pass rounded. Pillow 13 chooses the
 * faster order, so its pixels may differ by one.
 */
export function resized<P extends Pixels>(
  pixels: P,
  [height, width, channels]: readonly [number, number, number],
  [toHeight, toWidth]: readonly [number, number],
  filter = BILINEAR,
): P {
  const make = (length: number): P =>
    (pixels instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length)) as P;
  const across =
    width === toWidth
      ? pixels
      : pass(
          pixels,
          { outer: height, inner: channels, from: width, to: toWidth, filter },
          make(height * toWidth * channels),
        );
  if (height === toHeight) return across;
  const down = { outer: 1, inner: toWidth * channels, from: height, to: toHeight, filter };
  return pass(across, down, make(toHeight * toWidth * channels));
}

/** Resizes a picture [height, width, channels], and cuts its middle out if `cutFrom` says so. The longer side is rounded down, as torchvision does. */
export function broughtTo<P extends Pixels>(
  pixels: P,
  shape: readonly [number, number, number],
  to: readonly [number, number],
  { filter = 'bilinear', cutFrom }: Resizing = {},
): P {
  if (cutFrom === undefined) return resized(pixels, shape, to, FILTERS[filter]);
  const [height, width, channels] = shape;
  const short = Math.min(height, width);
  const sideOf = (side: number): number => Math.trunc((Number(cutFrom) * side) / short);
  const [wholeHeight, wholeWidth] = typeof cutFrom === 'number' ? [sideOf(height), sideOf(width)] : cutFrom;
  const whole = resized(pixels, shape, [wholeHeight, wholeWidth], FILTERS[filter]);
  const [top, left] = [(wholeHeight - to[0]) >> 1, (wholeWidth - to[1]) >> 1];
  const out = whole.slice(0, to[0] * to[1] * channels) as P;
  for (let row = 0; row < to[0]; row++) {
    const start = ((top + row) * wholeWidth + left) * channels;
    out.set(whole.subarray(start, start + to[1] * channels), row * to[1] * channels);
  }
  return out;
}
