import { affine } from './affine.ts';
import type { Geometry } from './geometry.ts';
import type { StepContext } from './image.ts';

/** Rotates an image about its centre by `angle` radians, counter-clockwise as seen, bilinear; positions outside are black. */
export function rotate(
  image: Float32Array | Geometry,
  scratch: Float32Array,
  context: StepContext,
  angle: number,
): void {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  // The source position is the target rotated back. The y axis points down.
  const matrix = [
    [cos, -sin],
    [sin, cos],
  ] as const;
  affine(image, scratch, context, { matrix });
}
