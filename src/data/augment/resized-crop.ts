import type { AugmentStep } from '../config.ts';
import { drawBox, scaledBox } from './boxes.ts';
import type { Box } from './boxes.ts';
import { unitOf } from './image.ts';
import type { StepContext } from './image.ts';
import type { ImageStep } from './steps.ts';

export type ResizedCrop = Extract<AugmentStep, { resizedCrop: unknown }>['resizedCrop'];

/**
 * The "inception crop" of Szegedy et al. 2015, "Going deeper with convolutions", section 6: a part of the image, drawn to its whole
 * size. Without a box that fits the image stays as it is.
 */
export function resizedCropStep(context: StepContext, { area, ratio }: ResizedCrop): ImageStep {
  const scratch = new Float32Array(context.height * context.width * context.channels);
  return (image, random) => {
    const box = drawBox(context.drawn ?? context, area ?? [0.08, 1], ratio ?? [3 / 4, 4 / 3], random);
    if (box !== undefined) enlarge(image, scratch, context, scaledBox(box, unitOf(context)));
  };
}

/** Draw a part of an image to its whole size, bilinear between the centres of pixels; beyond the last centre its value holds. */
export function enlarge(
  image: Float32Array,
  scratch: Float32Array,
  { height, width, channels }: StepContext,
  box: Box,
): void {
  scratch.set(image);
  for (let y = 0; y < height; y++) {
    const [above, below, wy] = neighbours(y, height, box.height);
    for (let x = 0; x < width; x++) {
      const [left, right, wx] = neighbours(x, width, box.width);
      const at = (row: number, column: number): number => ((box.top + row) * width + box.left + column) * channels;
      const [a, b, d, e] = [at(above, left), at(above, right), at(below, left), at(below, right)];
      const to = (y * width + x) * channels;
      for (let c = 0; c < channels; c++) {
        const upper = (1 - wx) * scratch[a + c]! + wx * scratch[b + c]!;
        const lower = (1 - wx) * scratch[d + c]! + wx * scratch[e + c]!;
        image[to + c] = (1 - wy) * upper + wy * lower;
      }
    }
  }
}

/** Pixels on both sides of position `at` of `size`, within `part` pixels, and the weight of the second. */
function neighbours(at: number, size: number, part: number): [number, number, number] {
  const from = Math.min(Math.max(((at + 0.5) * part) / size - 0.5, 0), part - 1);
  const first = Math.floor(from);
  return [first, Math.min(first + 1, part - 1), from - first];
}
