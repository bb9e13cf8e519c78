import { RandomStream } from '../../../src/base/random.ts';
import { createAugmenter } from '../../../src/data/augment/augment.ts';
import * as pixels from '../../../src/data/augment/pixels.ts';
import type { PixelChange } from '../../../src/data/augment/pixels.ts';
import { OPERATIONS } from '../../../src/data/augment/rand-augment.ts';
import { userError } from '../support.ts';

/** A change of one row of grey values, given and taken as bytes. */
function grey(change: PixelChange, ...bytes: number[]): number[] {
  const image = Float32Array.from(bytes, (value) => value / 255);
  change(image, { height: 1, width: bytes.length, channels: 1 });
  return [...image].map((value) => Math.round(255 * value));
}

describe('the changes of pixels', () => {
  it('brightness goes to black, and beyond white is white', () => {
    expect(grey(pixels.brightness(0.5), 0, 100, 200)).toEqual([0, 50, 100]);
    expect(grey(pixels.brightness(1.9), 0, 100, 200)).toEqual([0, 190, 255]);
  });

  it('contrast goes to the mean', () => {
    expect(grey(pixels.contrast(0.5), 0, 100, 200)).toEqual([50, 100, 150]);
    expect(grey(pixels.contrast(0), 10, 20, 60)).toEqual([30, 30, 30]);
  });

  it('colour goes to the luma, and leaves grey images', () => {
    const image = Float32Array.of(1, 0, 0);
    pixels.colour(0)(image, { height: 1, width: 1, channels: 3 });
    image.forEach((value) => expect(value).toBeCloseTo(0.299, 6));
    expect(grey(pixels.colour(0), 10, 20)).toEqual([10, 20]);
  });

  it('solarize inverts from the threshold on, posterize keeps the highest bits', () => {
    expect(grey(pixels.solarize(0.5), 0, 127, 128, 255)).toEqual([0, 127, 127, 0]);
    expect(grey(pixels.posterize(4), 0x0f, 0x1f, 0xff)).toEqual([0, 0x10, 0xf0]);
    expect(grey(pixels.posterize(8), 3, 250)).toEqual([3, 250]);
  });

  it('autoContrast stretches each channel, and leaves one that is flat', () => {
    expect(grey(pixels.autoContrast, 50, 90, 150)).toEqual([0, 102, 255]);
    expect(grey(pixels.autoContrast, 9, 9)).toEqual([9, 9]);
  });

  it("equalize makes PIL's table: half a step, then the sum of what is darker", () => {
    // 510 pixels in two values: the step is (510 - 255) / 255 = 1, so the brighter of the two goes to 255 and the darker to 0.
    const bytes = Array.from({ length: 510 }, (_, i) => (i < 255 ? 10 : 20));
    expect(new Set(grey(pixels.equalizeHistogram, ...bytes))).toEqual(new Set([0, 255]));
    // Fewer pixels than a step takes: as it is.
    expect(grey(pixels.equalizeHistogram, 10, 20)).toEqual([10, 20]);
  });

  it('sharpness 0 is the smooth picture, its border as it was', () => {
    const image = new Float32Array(9);
    image[4] = 1;
    pixels.sharpness(0)(image, { height: 3, width: 3, channels: 1 });
    expect(image[4]).toBeCloseTo(5 / 13, 6);
    expect([...image].filter((value) => value !== 0)).toHaveLength(1);
  });
});

describe('randAugment', () => {
  const at = (name: string, share: number, image: number[], width = 3): number[] => {
    const result = Float32Array.from(image);
    const context = { height: image.length / width, width, channels: 1, black: Float32Array.of(0) };
    OPERATIONS[name]!.apply(result, new Float32Array(image.length), context, share);
    return [...result].map((value) => Math.round(value * 1000) / 1000);
  };

  it('moves, shears and turns', () => {
    const row = [0.2, 0.4, 0.6];
    // A share of 331/150/3 moves by one pixel of three.
    expect(at('translateX', 331 / 150 / 3, row)).toEqual([0.4, 0.6, 0]);
    expect(at('translateX', -331 / 150 / 3, row)).toEqual([0, 0.2, 0.4]);
    expect(at('translateY', 331 / 150 / 3, row, 1)).toEqual([0.4, 0.6, 0]);
    // At a share of 1/0.3 each row moves by its distance from the middle.
    const square = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
    expect(at('shearX', 1 / 0.3, square)).toEqual([0, 0.1, 0.2, 0.4, 0.5, 0.6, 0.8, 0.9, 0]);
    expect(at('shearY', 1 / 0.3, square)).toEqual([0, 0.2, 0.6, 0.1, 0.5, 0.9, 0.4, 0.8, 0]);
    expect(at('rotate', 3, square)).toEqual([0.3, 0.6, 0.9, 0.2, 0.5, 0.8, 0.1, 0.4, 0.7]);
  });

  const normalization = { scale: 1 / 255, mean: [0.3], std: [0.2] };
  const image = Float32Array.from({ length: 64 }, (_, i) => (i / 64 - 0.3) / 0.2);
  const drawn = (operations: number, magnitude: number): Float32Array[] => {
    const apply = createAugmenter([{ randAugment: { operations, magnitude } }], [8, 8, 1], normalization)!;
    const random = new RandomStream('rand');
    return Array.from({ length: 100 }, (_, i) => {
      const copy = image.slice();
      apply(copy, random.seek(i));
      return copy;
    });
  };

  it('is the same for one substream, and stays between black and white', () => {
    const first = drawn(2, 15);
    expect(drawn(2, 15)).toEqual(first);
    expect(new Set(first.map(String)).size).toBeGreaterThan(60);
    for (const one of first) {
      expect(Math.min(...one)).toBeGreaterThan(-0.3 / 0.2 - 1e-4);
      expect(Math.max(...one)).toBeLessThan(0.7 / 0.2 + 1e-4);
    }
  });

  it('has all fourteen operations, and none at all leaves the picture', () => {
    expect(Object.keys(OPERATIONS)).toHaveLength(14);
    const [one] = drawn(0, 30);
    one!.forEach((value, i) => expect(value).toBeCloseTo(image[i]!, 5));
  });

  it('refuses values of which nobody knows what is white', async () => {
    const error = await userError(() =>
      createAugmenter([{ randAugment: {} }], [8, 8, 1], { scale: 1, mean: [0], std: [16] }),
    );
    expect(error.message).toMatch(/images of 8 bits, .* received a scale of 1$/);
  });
});
