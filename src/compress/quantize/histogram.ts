/**
 * What is known about the values that an activation took. Zeros are counted apart: every quantizer here stores 0 exactly,
 * so they say nothing about the range, and after a ReLU they would drown everything else.
 */
export interface Histogram {
  readonly min: number;
  readonly max: number;
  /** Values by size: bin i holds those from min + i · width on. Empty where all values are equal. */
  readonly bins: Float64Array;
  readonly width: number;
}

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Eight bins for each of the 256 levels of int8. */
export const BINS = 2048;

/** A histogram with room for values from `min` to `max`. */
export function emptyHistogram({ min, max }: Range): Histogram {
  const width = (max - min) / BINS;
  return { min, max, bins: new Float64Array(width > 0 ? BINS : 0), width };
}

export function addTo({ bins, min, width }: Histogram, values: Float32Array): void {
  if (bins.length === 0) return;
  for (const value of values) {
    if (value === 0) continue;
    const bin = Math.floor((value - min) / width);
    bins[bin < 0 ? 0 : bin >= bins.length ? bins.length - 1 : bin]!++;
  }
}

/** Smallest and largest value, 0 included; `undefined` if one is not finite. */
export function rangeOf(values: Float32Array, before?: Range): Range | undefined {
  let { min, max } = before ?? { min: 0, max: 0 };
  for (const value of values) {
    if (!Number.isFinite(value)) return undefined;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max };
}
