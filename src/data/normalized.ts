/** `scale`: one number for all channels, or one for each, as `mean` and `std` have. */
interface Scaling {
  readonly scale: number | readonly number[];
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * Values as a model takes them: `(value * scale - mean[c]) / std[c]`, rounded to float32, for the channels c of the last axis. Everything that feeds a
 * model prepares its input here: training, conversion, the server, its page and the JavaScript of a kit.
 *
 * `values`: one sample or several, [..., channels]. `pixels`: if given, the number of pixels of a sample, whose channels come out first,
 * [channels, pixels].
 */
export function normalized(
  values: ArrayLike<number>,
  { scale, mean, std }: Scaling,
  pixels?: number,
  out: Float32Array = new Float32Array(values.length),
): Float32Array {
  const channels = mean.length;
  const each = typeof scale === 'number' ? undefined : scale;
  const size = pixels === undefined ? values.length : pixels * channels;
  for (let start = 0; start < values.length; start += size) {
    for (let i = start, c = 0, p = 0; i < start + size; i++) {
      const to = pixels === undefined ? i : start + c * pixels + p;
      out[to] = (values[i]! * (each === undefined ? (scale as number) : each[c]!) - mean[c]!) / std[c]!;
      if (++c === channels) {
        c = 0;
        p++;
      }
    }
  }
  return out;
}
