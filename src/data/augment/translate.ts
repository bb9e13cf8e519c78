import { straight } from './geometry.ts';
import type { Geometry } from './geometry.ts';
import type { ImageShape, StepContext } from './image.ts';

/** Moves an image down by `dy` and right by `dx`; the gap is black. */
export function translate(
  image: Float32Array | Geometry,
  scratch: Float32Array,
  { height, width, channels, black }: StepContext,
  dy: number,
  dx: number,
): void {
  if (Array.isArray(image)) {
    image.push(straight([1, -dx], [1, -dy]));
    return;
  }
  scratch.set(image);
  for (let y = 0; y < height; y++) {
    const fromY = y - dy;
    const outside = fromY < 0 || fromY >= height;
    for (let x = 0; x < width; x++) {
      const fromX = x - dx;
      const to = (y * width + x) * channels;
      if (outside || fromX < 0 || fromX >= width) for (let c = 0; c < channels; c++) image[to + c] = black[c]!;
      else {
        const from = (fromY * width + fromX) * channels;
        for (let c = 0; c < channels; c++) image[to + c] = scratch[from + c]!;
      }
    }
  }
}

export function mirrorHorizontally(image: Float32Array | Geometry, { height, width, channels }: ImageShape): void {
  if (Array.isArray(image)) {
    image.push(straight([-1, width - 1], [1, 0]));
    return;
  }
  for (let y = 0; y < height; y++) {
    for (let left = 0, right = width - 1; left < right; left++, right--) {
      swap(image, (y * width + left) * channels, (y * width + right) * channels, channels);
    }
  }
}

export function mirrorVertically(image: Float32Array | Geometry, { height, width, channels }: ImageShape): void {
  if (Array.isArray(image)) {
    image.push(straight([1, 0], [-1, height - 1]));
    return;
  }
  const row = width * channels;
  for (let top = 0, bottom = height - 1; top < bottom; top++, bottom--) swap(image, top * row, bottom * row, row);
}

function swap(values: Float32Array, a: number, b: number, length: number): void {
  for (let i = 0; i < length; i++) {
    const value = values[a + i]!;
    values[a + i] = values[b + i]!;
    values[b + i] = value;
  }
}
