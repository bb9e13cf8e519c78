/**
 * Distribution of the values that an activation took. Zeros are counted apart: every quantizer here stores 0 exactly, so they say nothing
 * about the range, and after a ReLU they would outnumber everything else.
 */
export interface Histogram {
  readonly min: number;
  readonly max: number;
  /** Values by size: bin i holds those from min + i · width on. Empty where all values are equal. */
  readonly bins: Float64Array;
  readonly width: number;
}

export interface ActivationRange {
  readonly min: number;
  readonly max: number;
}

/** Eight bins for each of the 256 levels of int8. */
const BINS = 2048;

/** A histogram with room for values from `min` to `max`. */
export function emptyHistogram({ min, max }: ActivationRange): Histogram {
  const width = (max - min) / BINS;
  return { min, max, bins: new Float64Array(width > 0 ? BINS : 0), width };
}

/** Counts values, zeros excepted; false if one is no number. */
export function addTo({ bins, min, width }: Histogram, values: Float32Array): boolean {
  const last = bins.length - 1;
  if (last < 0) return !values.some(Number.isNaN);
  const counts = new Int32Array(bins.length);
  let areNumbers = true;
  // Indices and no iterator, here and below: all values of all samples pass here, and that is half of a calibration's time.
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value === 0) continue;
    const bin = (value - min) / width;
    if (bin >= 0 && bin <= last) counts[bin | 0]!++;
    else if (bin < 0) counts[0]!++;
    else if (bin > last) counts[last]!++;
    else areNumbers = false;
  }
  for (let bin = 0; bin <= last; bin++) bins[bin]! += counts[bin]!;
  return areNumbers;
}

/** Smallest and largest value, 0 included; `undefined` if one is not finite. */
export function rangeOf(values: Float32Array, before?: ActivationRange): ActivationRange | undefined {
  let { min, max } = before ?? { min: 0, max: 0 };
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    // NaN for infinite values and NaN.
    if (value - value !== 0) return undefined;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max };
}
