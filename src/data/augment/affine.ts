import type { Geometry } from './geometry.ts';
import { unitOf } from './image.ts';
import type { StepContext } from './image.ts';

/** Source position of each pixel: its position relative to the centre times the matrix, then shifted; x points right, y down. */
export interface PixelSource {
  /** [[xx, xy], [yx, yy]] */
  readonly matrix: readonly [readonly [number, number], readonly [number, number]];
  readonly shift?: readonly [number, number];
}

/** Resamples an image by an affine map, bilinear; positions outside of the image are black. */
export function affine(
  image: Float32Array | Geometry,
  scratch: Float32Array,
  context: StepContext,
  { matrix: [[xx, across], [down, yy]], shift: [dx, dy] = [0, 0] }: PixelSource,
): void {
  const { height, width, channels, black } = context;
  // Angles refer to the picture `drawn`; in a picture stretched against it, rotations become shears.
  const [unitY, unitX] = unitOf(context);
  const [xy, yx] = [across * (unitX / unitY), down * (unitY / unitX)];
  const [middleY, middleX] = [(height - 1) / 2, (width - 1) / 2];
  if (Array.isArray(image)) {
    const x0 = middleX - middleX * xx - middleY * xy + dx;
    const y0 = middleY - middleX * yx - middleY * yy + dy;
    image.push({ xx, xy, x0, yx, yy, y0 });
    return;
  }
  scratch.set(image);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const fromX = middleX + (x - middleX) * xx + (y - middleY) * xy + dx;
      const fromY = middleY + (x - middleX) * yx + (y - middleY) * yy + dy;
      const [x0, y0] = [Math.floor(fromX), Math.floor(fromY)];
      const [wx, wy] = [fromX - x0, fromY - y0];
      const to = (y * width + x) * channels;
      const [above, below] = [y0 >= 0 && y0 < height, y0 >= -1 && y0 < height - 1];
      const [left, right] = [x0 >= 0 && x0 < width, x0 >= -1 && x0 < width - 1];
      const from = (y0 * width + x0) * channels;
      const next = from + width * channels;
      for (let c = 0; c < channels; c++) {
        const out = black[c]!;
        const a = above && left ? scratch[from + c]! : out;
        const b = above && right ? scratch[from + channels + c]! : out;
        const d = below && left ? scratch[next + c]! : out;
        const e = below && right ? scratch[next + channels + c]! : out;
        image[to + c] = (1 - wy) * ((1 - wx) * a + wx * b) + wy * ((1 - wx) * d + wx * e);
      }
    }
  }
}
