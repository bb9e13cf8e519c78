import { boxColour } from './mask-colours.ts';

/** A box of a class, its sides as shares of the picture. */
interface Outlined {
  readonly label: number;
  readonly xmin: number;
  readonly ymin: number;
  readonly xmax: number;
  readonly ymax: number;
}

/** Draws outlines in the colours of their classes into a picture [height, width, 3]; `thick`: their width in pixels. */
export function drawBoxes(
  pixels: Uint8Array,
  boxes: readonly Outlined[],
  { height, width, thick }: { readonly height: number; readonly width: number; readonly thick: number },
): void {
  for (const { label, xmin, ymin, xmax, ymax } of boxes) {
    const colour = boxColour(label);
    const [left, right] = edges(xmin, xmax, width);
    const [top, bottom] = edges(ymin, ymax, height);
    for (let y = top; y < bottom; y++)
      for (let x = left; x < right; x++) {
        const depth = Math.min(x - left, right - 1 - x, y - top, bottom - 1 - y);
        if (depth < thick) pixels.set(colour, 3 * (y * width + x));
      }
  }
}

/** First pixel of a side, and the pixel behind its last. */
function edges(from: number, to: number, size: number): [number, number] {
  const first = Math.min(size - 1, Math.max(0, Math.round(from * size)));
  return [first, Math.max(first + 1, Math.min(size, Math.round(to * size)))];
}
