/** Shape of an image: pixels row by row, channels last. */
export interface ImageShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Image shape and normalization that a step is built for. `black` is the normalized value of 0, per channel. */
export interface StepContext extends ImageShape {
  readonly black: Float32Array;
  /** Size of the picture that lengths refer to, in pixels. Default: this size. */
  readonly drawn?: ImageShape;
}

export function imageShape([height = 1, width = 1, channels = 1]: readonly number[]): ImageShape {
  return { height, width, channels };
}

/** Pixels of this picture per pixel of `drawn`: down and across. */
export function unitOf({ height, width, drawn }: Pick<StepContext, 'height' | 'width' | 'drawn'>): [number, number] {
  return drawn === undefined ? [1, 1] : [height / drawn.height, width / drawn.width];
}
