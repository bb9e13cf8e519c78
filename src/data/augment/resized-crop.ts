import type { AugmentStep } from '../config.ts';
import { drawBox, scaledBox } from './boxes.ts';
import type { Box } from './boxes.ts';
import { straight } from './geometry.ts';
import type { Geometry } from './geometry.ts';
import { unitOf } from './image.ts';
import type { StepContext } from './image.ts';
import type { ImageStep } from './steps.ts';

export type ResizedCrop = Extract<AugmentStep, { resizedCrop: unknown }>['resizedCrop'];

/**
 * The "inception crop" of Szegedy et al. 2015, "Going deeper with convolutions", section 6: enlarges a random box of the image to the whole size. If
 * no box fits, the image stays unchanged.
 */
export function resizedCropStep(context: StepContext, { area, ratio }: ResizedCrop): ImageStep {
  const scratch = new Float32Array(context.height * context.width * context.channels);
  return (image, random) => {
    const box = drawBox(context.drawn ?? context, area ?? [0.08, 1], ratio ?? [3 / 4, 4 / 3], random);
    if (box !== undefined) enlarge(image, scratch, context, scaledBox(box, unitOf(context)));
  };
}

/** Enlarges a box of an image to the whole size, bilinear between pixel centres; beyond the outermost centres the value is constant. */
export function enlarge(
  image: Float32Array | Geometry,
  scratch: Float32Array,
  { height, width, channels }: StepContext,
  box: Box,
): void {
  if (Array.isArray(image)) {
    const along = (size: number, part: number, first: number) => [part / size, (part / size - 1) / 2 + first] as const;
    image.push(straight(along(width, box.width, box.left), along(height, box.height, box.top)));
    return;
  }
  scratch.set(image);
  // Columns are interpolated alike in all rows, so they are computed once.
  const lefts = new Int32Array(width);
  const rights = new Int32Array(width);
  const weights = new Float64Array(width);
  for (let x = 0; x < width; x++) {
    const [left, right, weight] = neighbours(x, width, box.width);
    lefts[x] = (box.left + left) * channels;
    rights[x] = (box.left + right) * channels;
    weights[x] = weight;
  }
  const row = width * channels;
  /** Row `y` of the box, interpolated across. */
  const across = (y: number, out: Float64Array): void => {
    const start = (box.top + y) * row;
    for (let x = 0, to = 0; x < width; x++) {
      const weight = weights[x]!;
      for (let c = 0, left = start + lefts[x]!, right = start + rights[x]!; c < channels; c++, to++)
        out[to] = (1 - weight) * scratch[left + c]! + weight * scratch[right + c]!;
    }
  };
  // A row of the box lies between several rows of the image, so each is interpolated once.
  let [above, below] = [new Float64Array(row), new Float64Array(row)];
  let [aboveIs, belowIs] = [-1, -1];
  for (let y = 0, to = 0; y < height; y++) {
    const [first, second, weight] = neighbours(y, height, box.height);
    if (first === belowIs) [above, aboveIs, below, belowIs] = [below, belowIs, above, aboveIs];
    if (first !== aboveIs) across((aboveIs = first), above);
    if (second !== belowIs) across((belowIs = second), below);
    for (let i = 0; i < row; i++, to++) image[to] = (1 - weight) * above[i]! + weight * below[i]!;
  }
}

/** The two pixels around position `at` of `size`, within `part` pixels, and the weight of the second. */
function neighbours(at: number, size: number, part: number): [number, number, number] {
  const from = Math.min(Math.max(((at + 0.5) * part) / size - 0.5, 0), part - 1);
  const first = Math.floor(from);
  return [first, Math.min(first + 1, part - 1), from - first];
}
