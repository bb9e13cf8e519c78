/** Geometry of a window along one axis: input and output size, dilated window size, stride, zeros before. */
export interface Axis {
  readonly size: number;
  readonly out: number;
  readonly window: number;
  readonly stride: number;
  readonly before: number;
}

/** Zeros before the input in TensorFlow's SAME padding, or -1 if SAME gives another output size. */
function sameBefore({ size, out, window, stride }: Axis): number {
  if (out !== Math.ceil(size / stride)) return -1;
  return Math.floor(Math.max(0, (out - 1) * stride + window - size) / 2);
}

/**
 * The matching one of TFLite's two paddings. Positions of windows depend only on the zeros before and the output size, so these are compared; zeros
 * behind do not matter.
 */
export function paddingScheme(axes: readonly Axis[]): 'SAME' | 'VALID' | undefined {
  const valid = ({ size, out, window, stride, before }: Axis): boolean =>
    before === 0 && out === Math.floor((size - window) / stride) + 1;
  if (axes.every(valid)) return 'VALID';
  return axes.every((axis) => sameBefore(axis) === axis.before) ? 'SAME' : undefined;
}

/** Number of zeros behind that the last window reaches. */
export function neededAfter({ size, out, window, stride, before }: Axis): number {
  return Math.max(0, (out - 1) * stride + window - size - before);
}

export const PADDING = { SAME: 0, VALID: 1 } as const;
