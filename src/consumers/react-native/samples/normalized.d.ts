/** Values as the model was trained on them: (value * scale - mean) / std, channel by channel, channels last. */
export function normalized(
  values: ArrayLike<number>,
  normalization: { readonly scale: number; readonly mean: readonly number[]; readonly std: readonly number[] },
): Float32Array;
