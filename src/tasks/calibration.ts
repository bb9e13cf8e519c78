/** Samples whose confidence falls into one bin; means are null where there are none. */
interface CalibrationBin {
  readonly samples: number;
  /** Mean probability of the class that was given. */
  readonly confidence: number | null;
  /** Share of the samples that are right. */
  readonly accuracy: number | null;
}

export interface Calibration {
  /** Expected calibration error, a fraction: the mean of |accuracy - confidence| over the bins, weighted by samples. */
  readonly ece: number;
  /** Mean over all samples. */
  readonly confidence: number;
  readonly bins: readonly CalibrationBin[];
}

/**
 * Comparison of a model's confidence with its accuracy. Bins of equal width, bin m holds confidences in ((m - 1) / bins, m / bins]. Guo et
 * al. 2017, "On Calibration of Modern Neural Networks", equation 3. logits: [labels.length, classes].
 */
export function calibrationOf(logits: Float32Array, labels: Int32Array, classes: number, bins = 15): Calibration {
  const samples = Array.from({ length: bins }, () => 0);
  const sure = Array.from({ length: bins }, () => 0);
  const right = Array.from({ length: bins }, () => 0);
  for (let row = 0; row < labels.length; row++) {
    const { best, confidence } = answerOf(logits, row * classes, classes);
    const bin = Math.max(0, Math.min(bins - 1, Math.ceil(confidence * bins) - 1));
    samples[bin]!++;
    sure[bin]! += confidence;
    if (best === labels[row]) right[bin]!++;
  }
  const n = labels.length;
  return {
    ece: samples.reduce((sum, _, bin) => sum + Math.abs(right[bin]! - sure[bin]!), 0) / n,
    confidence: sure.reduce((sum, value) => sum + value, 0) / n,
    bins: samples.map((count, bin) => ({
      samples: count,
      confidence: count === 0 ? null : sure[bin]! / count,
      accuracy: count === 0 ? null : right[bin]! / count,
    })),
  };
}

/** The class of a row and its softmax probability. */
function answerOf(logits: Float32Array, from: number, classes: number): { best: number; confidence: number } {
  let best = 0;
  for (let c = 1; c < classes; c++) if (logits[from + c]! > logits[from + best]!) best = c;
  let sum = 0;
  for (let c = 0; c < classes; c++) sum += Math.exp(logits[from + c]! - logits[from + best]!);
  return { best, confidence: 1 / sum };
}
