import { resampled } from './resample.ts';
import type { Sound } from './wav.ts';

/** Rate and length of every sample of a data set of sounds. */
export interface ClipOptions {
  /** Values a second. */
  readonly rate: number;
  readonly seconds: number;
}

export function clipLength({ rate, seconds }: ClipOptions): number {
  return Math.round(rate * seconds);
}

/** A sound at the rate and of the length of the data: its middle where it is longer, silence on both sides where it is shorter. */
export function clip(sound: Sound, options: ClipOptions): Float32Array {
  const length = clipLength(options);
  const out = new Float32Array(length);
  // All of a long sound whose header has a false rate would be more than memory holds.
  const values = resampled(sound, options.rate, length);
  out.set(values, (length - values.length) >> 1);
  return out;
}
