/** Pixels are stored row by row, channels last. */
export interface ImageShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Image shape and normalization that a step is built for. `black` is the normalized value of 0, per channel. */
export interface StepContext extends ImageShape {
  readonly black: Float32Array;
}
