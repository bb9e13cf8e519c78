import type { DrawingContext } from '../../data/pictures/canvas.ts';
import { boxColour } from '../../report/mask-colours.ts';

/** A box of the class `index`, sides in pixels. */
interface Drawn {
  readonly index: number;
  readonly box: readonly [left: number, top: number, right: number, bottom: number];
}

/** Draws boxes in the colours of their classes. */
export function strokeBoxes(context: DrawingContext, boxes: readonly Drawn[]): void {
  context.lineWidth = Math.max(2, Math.min(context.canvas.width, context.canvas.height) / 120);
  for (const { index, box } of boxes) {
    const [left, top, right, bottom] = box;
    context.strokeStyle = `rgb(${boxColour(index).join(',')})`;
    context.strokeRect(left, top, right - left, bottom - top);
  }
}
