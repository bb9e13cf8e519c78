/** A decoded picture. */
export interface Pixels {
  /** [height, width, channels]. */
  readonly data: Uint8Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}
