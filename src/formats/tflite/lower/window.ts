/** Place of a window along one axis: input and output size, window size over its dilation, stride, zeros in front. */
export interface Axis {
  readonly size: number;
  readonly out: number;
  readonly window: number;
  readonly stride: number;
  readonly before: number;
}

/** Zeros that TensorFlow's SAME puts in front, or -1 if SAME would give another output size. */
function sameBefore({ size, out, window, stride }: Axis): number {
  if (out !== Math.ceil(size / stride)) return -1;
  return Math.floor(Math.max(0, (out - 1) * stride + window - size) / 2);
}

/**
 * TFLite knows two paddings. Where the windows lie is decided by the zeros in front and the output size alone, so these two
 * are compared; how many zeros the graph asks for behind does not matter.
 */
export function paddingScheme(axes: readonly Axis[]): 'SAME' | 'VALID' | undefined {
  const valid = ({ size, out, window, stride, before }: Axis): boolean =>
    before === 0 && out === Math.floor((size - window) / stride) + 1;
  if (axes.every(valid)) return 'VALID';
  return axes.every((axis) => sameBefore(axis) === axis.before) ? 'SAME' : undefined;
}

/** Zeros behind that the last window reaches. */
export function neededAfter({ size, out, window, stride, before }: Axis): number {
  return Math.max(0, (out - 1) * stride + window - size - before);
}

export const PADDING = { SAME: 0, VALID: 1 } as const;
