import { resampled } from './resample.ts';
import type { Sound } from './wav.ts';

/** Rate and length of every sound of a data set. */
export interface ClipOptions {
  /** Sample rate, in values per second. */
  readonly rate: number;
  readonly seconds: number;
}

export function clipLength({ rate, seconds }: ClipOptions): number {
  return Math.round(rate * seconds);
}

/** A sound at the rate and length of the data: longer ones are cut to their middle, shorter ones padded with silence on both sides. */
export function clip(sound: Sound, options: ClipOptions): Float32Array {
  const length = clipLength(options);
  const out = new Float32Array(length);
  // Only `length` values are computed: a long sound with a wrong rate in its header would exceed memory.
  const values = resampled(sound, options.rate, length);
  out.set(values, (length - values.length) >> 1);
  return out;
}
