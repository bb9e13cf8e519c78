import { surest } from '../../tasks/classification/classes.ts';
import type { Calibration } from '../../tasks/described.ts';

/**
 * Reliability of a model's confidence (Guo et al. 2017, "On Calibration of Modern Neural Networks", equation 3). logits: [labels.length, classes].
 */
export function calibrationOf(logits: Float32Array, labels: Int32Array, classes: number, bins = 15): Calibration {
  const answers = Array.from(labels, (_, row) => surest(logits, row * classes, classes));
  const sure = answers.map(({ probability }) => probability);
  const { ece, bins: found } = reliabilityOf(
    sure,
    answers.map(({ best }, row) => best === labels[row]),
    bins,
  );
  return {
    ece,
    confidence: sure.reduce((sum, value) => sum + value, 0) / labels.length,
    bins: found.map(({ samples, probability, share }) => ({ samples, confidence: probability, accuracy: share })),
  };
}

/** Expected calibration error, and for each bin the mean probability and the share of samples that came true. */
export interface Reliability {
  readonly ece: number;
  readonly bins: readonly {
    readonly samples: number;
    readonly probability: number | null;
    readonly share: number | null;
  }[];
}

/** Reliability of probabilities in bins of equal width: bin m holds ((m - 1) / bins, m / bins]. */
export function reliabilityOf(
  probabilities: readonly number[],
  cameTrue: readonly boolean[],
  bins: number,
): Reliability {
  const samples = Array.from({ length: bins }, () => 0);
  const [sure, right] = [[...samples], [...samples]];
  probabilities.forEach((probability, i) => {
    const bin = Math.max(0, Math.min(bins - 1, Math.ceil(probability * bins) - 1));
    samples[bin]!++;
    sure[bin]! += probability;
    if (cameTrue[i] === true) right[bin]!++;
  });
  return {
    ece: samples.reduce((sum, _, bin) => sum + Math.abs(right[bin]! - sure[bin]!), 0) / probabilities.length,
    bins: samples.map((count, bin) => ({
      samples: count,
      probability: count === 0 ? null : sure[bin]! / count,
      share: count === 0 ? null : right[bin]! / count,
    })),
  };
}
