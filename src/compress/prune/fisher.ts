import type { RandomStream } from '../../base/random.ts';

/** Distance of logits, over the temperature, at which a softmax in float32 gives 1 and 0. */
const SURE = 100;

/**
 * Answers that are sure of one class each, drawn by the probabilities of `logits` [n, classes] at a temperature. Where a student answers as
 * its teacher does, the gradient of their distance is zero, and with it every first-order importance. Of drawn answers it is zero in the mean,
 * and the mean of its square is the diagonal of the Fisher information: the curvature of that distance (Theis et al. 2018, "Faster gaze
 * prediction with dense networks and Fisher pruning", section 2).
 */
export function drawnAnswers(
  logits: Float32Array,
  {
    classes,
    temperature,
    random,
  }: { readonly classes: number; readonly temperature: number; readonly random: RandomStream },
): Float32Array {
  const drawn = new Float32Array(logits.length).fill(-SURE * temperature);
  for (let row = 0; row < logits.length; row += classes) {
    const values = logits.subarray(row, row + classes);
    const most = values.reduce((max, value) => Math.max(max, value), -Infinity);
    const shares = Float64Array.from(values, (value) => Math.exp((value - most) / temperature));
    let left = random.uniform() * shares.reduce((sum, share) => sum + share, 0);
    // Rounding may leave a trace behind the last.
    const chosen = shares.findIndex((share) => (left -= share) < 0);
    drawn[row + (chosen < 0 ? classes - 1 : chosen)] = 0;
  }
  return drawn;
}
