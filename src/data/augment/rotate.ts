import type { StepContext } from './image.ts';

/** Turn an image about its centre by `angle` radians, counter-clockwise as seen, bilinear; what comes in is black. */
export function rotate(
  image: Float32Array,
  scratch: Float32Array,
  { height, width, channels, black }: StepContext,
  angle: number,
): void {
  scratch.set(image);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [middleY, middleX] = [(height - 1) / 2, (width - 1) / 2];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      // Where the pixel comes from: turn its position back. The y axis points down.
      const fromX = middleX + (x - middleX) * cos - (y - middleY) * sin;
      const fromY = middleY + (x - middleX) * sin + (y - middleY) * cos;
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
