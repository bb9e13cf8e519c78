/** Places along each axis for each pixel of the longer side: answers are finer than pixels. */
const BINS_PER_PIXEL = 2;

/** Numbers of places along an axis, the same for both, of pictures of this size. */
export function binsOf({ height, width }: { readonly height: number; readonly width: number }): number {
  return BINS_PER_PIXEL * Math.max(height, width);
}

/** Deviation, in places, of the Gaussian that a label stands for: that of RTMPose's configurations, 5.66 of 512 (Jiang et al. 2023). */
export function deviationOf(bins: number): number {
  return Math.sqrt(bins / 16);
}

/** Largest probability of such a Gaussian in the middle of a place. */
export function peakOf(bins: number): number {
  const deviation = deviationOf(bins);
  let sum = 0;
  for (let i = -bins; i <= bins; i++) sum += Math.exp(-0.5 * (i / deviation) ** 2);
  return 1 / sum;
}

/** Numbers of a decoded point: x and y as shares of the picture, and a score from 0 to 1. */
export const DECODED_WIDTH = 3;

/**
 * Points [n, points, 3] of logits [n, points, 2, bins]: the middle of the most probable column and row. The score is the smaller of their probabilities,
 * as a share of the largest probability of a label's Gaussian, at most 1.
 */
export function decodedPoints(logits: ArrayLike<number>, bins: number): Float32Array {
  const count = logits.length / (2 * bins);
  const peak = peakOf(bins);
  const out = new Float32Array(count * DECODED_WIDTH);
  for (let point = 0; point < count; point++) {
    let score = 1;
    for (let axis = 0; axis < 2; axis++) {
      const from = (2 * point + axis) * bins;
      let best = 0;
      for (let i = 1; i < bins; i++) if (logits[from + i]! > logits[from + best]!) best = i;
      let sum = 0;
      for (let i = 0; i < bins; i++) sum += Math.exp(logits[from + i]! - logits[from + best]!);
      out[point * DECODED_WIDTH + axis] = (best + 0.5) / bins;
      score = Math.min(score, 1 / sum / peak);
    }
    out[point * DECODED_WIDTH + 2] = score;
  }
  return out;
}
