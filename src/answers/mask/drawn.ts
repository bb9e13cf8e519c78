import type { DrawingContext } from '../../data/pictures/canvas.ts';
import { opaque } from '../../data/pictures/fitted.ts';
import { colouredMask } from '../../report/mask-colours.ts';

/**
 * Draws a mask, of a pixel for each of the canvas `layer`, in the colours of its classes over the whole of another canvas; `share`: how much of what is
 * there it hides.
 */
export function layMask(
  context: DrawingContext,
  layer: DrawingContext,
  { mask, classes, share }: { readonly mask: ArrayLike<number>; readonly classes: number; readonly share: number },
): void {
  const pixels = layer.createImageData(layer.canvas.width, layer.canvas.height);
  pixels.data.set(opaque(colouredMask(mask, classes), 3));
  layer.putImageData(pixels, 0, 0);
  context.globalAlpha = share;
  context.imageSmoothingEnabled = false;
  context.drawImage(layer.canvas, 0, 0, context.canvas.width, context.canvas.height);
}
