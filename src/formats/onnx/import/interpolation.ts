/** Coordinates and rounding of a resize: ONNX' names, and `simple` for its older forms. */
export interface Sampling {
  readonly coordinates: string;
  readonly rounding: string;
  /** Coefficient a of cubic interpolation (Keys 1981). */
  readonly cubic: number;
}

const single = Math.fround;

/** Input position of an output pixel, computed in float32 as in ONNX Runtime. */
function position(i: number, from: number, to: number, scale: number, coordinates: string): number {
  const half = single(single((i + 0.5) / scale) - 0.5);
  switch (coordinates) {
    case 'asymmetric':
      return single(i / scale);
    case 'align_corners':
      return to === 1 ? 0 : single((i * (from - 1)) / (to - 1));
    case 'pytorch_half_pixel':
      return to > 1 ? half : 0;
    case 'half_pixel_symmetric': {
      // Rounded in each step as in ONNX Runtime, because a position may be exactly between two pixels.
      const offset = single((from / 2) * single(1 - single(to / single(scale * from))));
      return single(single(offset + single((i + 0.5) / scale)) - 0.5);
    }
    default:
      return half;
  }
}

/** Input pixel of each output pixel. */
export function nearestPixels(from: number, to: number, scale: number, sampling: Sampling): number[] {
  return Array.from({ length: to }, (_, i) => {
    const at = position(i, from, to, scale, sampling.coordinates);
    return Math.max(0, Math.min(from - 1, round(at, scale, sampling.rounding)));
  });
}

function round(at: number, scale: number, rounding: string): number {
  if (rounding === 'floor') return Math.floor(at);
  if (rounding === 'ceil') return Math.ceil(at);
  if (rounding === 'round_prefer_ceil') return Math.round(at);
  if (rounding === 'simple') return scale < 1 ? Math.ceil(at) : Math.floor(at);
  return Math.ceil(at - 0.5);
}

/** Interpolation weights [from, to], row-major. */
export function mixing(mode: string, from: number, to: number, scale: number, sampling: Sampling): Float32Array {
  const weights = new Float32Array(from * to);
  const add = (pixel: number, i: number, weight: number): void => {
    const at = Math.max(0, Math.min(from - 1, pixel)) * to + i;
    weights[at] = weights[at]! + weight;
  };
  for (let i = 0; i < to; i++) {
    const at = position(i, from, to, scale, sampling.coordinates);
    if (mode === 'cubic') {
      const low = Math.floor(at);
      for (let tap = -1; tap <= 2; tap++) add(low + tap, i, cubic(Math.abs(at - low - tap), sampling.cubic));
      continue;
    }
    const inside = Math.max(0, Math.min(from - 1, at));
    const low = Math.floor(inside);
    add(low, i, 1 - (inside - low));
    if (inside > low) add(low + 1, i, inside - low);
  }
  return weights;
}

function cubic(distance: number, a: number): number {
  if (distance <= 1) return ((a + 2) * distance - (a + 3)) * distance * distance + 1;
  return distance < 2 ? ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a : 0;
}
