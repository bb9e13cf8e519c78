import type { ImageShape } from './image.ts';

/** Function that changes an image of values from 0 (black) to 1 (white) in place. */
export type PixelChange = (image: Float32Array, shape: ImageShape) => void;

const clamped = (value: number): number => Math.min(1, Math.max(0, value));

/** Interpolates between another image (factor 0) and this one (factor 1), or extrapolates: PIL's `Image.blend`. */
function blend(image: Float32Array, other: (at: number) => number, factor: number): void {
  for (let i = 0; i < image.length; i++) {
    const from = other(i);
    image[i] = clamped(from + factor * (image[i]! - from));
  }
}

/** ITU-R 601-2 luma of each pixel, as PIL's `convert("L")`; a grey image is returned unchanged. */
function luma(image: Float32Array, { channels }: ImageShape): Float32Array {
  if (channels !== 3) return Float32Array.from({ length: image.length / channels }, (_, i) => image[i * channels]!);
  return Float32Array.from(
    { length: image.length / 3 },
    (_, i) => 0.299 * image[3 * i]! + 0.587 * image[3 * i + 1]! + 0.114 * image[3 * i + 2]!,
  );
}

export function brightness(factor: number): PixelChange {
  return (image) => blend(image, () => 0, factor);
}

export function contrast(factor: number): PixelChange {
  return (image, shape) => {
    const grey = luma(image, shape);
    const mean = grey.reduce((sum, value) => sum + value, 0) / grey.length;
    blend(image, () => mean, factor);
  };
}

export function colour(factor: number): PixelChange {
  return (image, shape) => {
    if (shape.channels !== 3) return;
    const grey = luma(image, shape);
    blend(image, (i) => grey[Math.floor(i / 3)]!, factor);
  };
}

/** Blends with PIL's SMOOTH filter (5 in the middle, 1 around, divided by 13); border pixels stay. */
export function sharpness(factor: number): PixelChange {
  return (image, { height, width, channels }) => {
    const plain = image.slice();
    const smooth = (i: number): number => {
      const pixel = Math.floor(i / channels);
      const [y, x] = [Math.floor(pixel / width), pixel % width];
      if (y === 0 || x === 0 || y === height - 1 || x === width - 1) return plain[i]!;
      let sum = 4 * plain[i]!;
      for (let dy = -1; dy <= 1; dy++) for (let dx = -1; dx <= 1; dx++) sum += plain[i + (dy * width + dx) * channels]!;
      return sum / 13;
    };
    blend(image, smooth, factor);
  };
}

/** Inverts the values at or above the threshold. */
export function solarize(threshold: number): PixelChange {
  return (image) => {
    for (let i = 0; i < image.length; i++) if (image[i]! >= threshold) image[i] = 1 - image[i]!;
  };
}

const byte = (value: number): number => Math.round(255 * clamped(value));

/** Keeps only the highest `bits` of 8 bits. */
export function posterize(bits: number): PixelChange {
  const mask = 0xff & (0xff << (8 - bits));
  return (image) => {
    for (let i = 0; i < image.length; i++) image[i] = (byte(image[i]!) & mask) / 255;
  };
}

/** Stretches each channel from black to white. */
export function autoContrast(image: Float32Array, { channels }: ImageShape): void {
  for (let c = 0; c < channels; c++) {
    let [low, high] = [Infinity, -Infinity];
    for (let i = c; i < image.length; i += channels) {
      [low, high] = [Math.min(low, image[i]!), Math.max(high, image[i]!)];
    }
    if (high <= low) continue;
    for (let i = c; i < image.length; i += channels) image[i] = (image[i]! - low) / (high - low);
  }
}

/** Flattens each channel's histogram of 256 values, as PIL's `ImageOps.equalize`. */
export function equalizeHistogram(image: Float32Array, { channels }: ImageShape): void {
  for (let c = 0; c < channels; c++) {
    const counts = new Array<number>(256).fill(0);
    for (let i = c; i < image.length; i += channels) counts[byte(image[i]!)]!++;
    const last = counts.findLast((count) => count > 0)!;
    const step = Math.floor((image.length / channels - last) / 255);
    if (step === 0) continue;
    let sum = Math.floor(step / 2);
    const map = counts.map((count) => {
      const value = Math.min(255, Math.floor(sum / step));
      sum += count;
      return value;
    });
    for (let i = c; i < image.length; i += channels) image[i] = map[byte(image[i]!)]! / 255;
  }
}
