import { greyOf } from '../../../src/data/pictures/fitted.ts';
import sharp from 'sharp';
import { broughtTo, FILTERS, LANCZOS, resized } from '../../../src/data/pictures/resize.ts';

const ramp = (h: number, w: number): Uint8Array => Uint8Array.from({ length: h * w }, (_, i) => (37 * i) % 251);

const PILLOW = {
  smaller: [104, 93, 127, 143],
  larger: [0, 15, 37, 59, 74, 56, 71, 93, 115, 130, 111, 126, 148, 170, 185],
};

const BICUBIC_OF_PILLOW = {
  smaller: [109, 127, 128, 120, 113, 127, 136, 128, 121, 130, 119, 114],
  larger: [0, 4, 30, 56, 70, 54, 67, 93, 119, 133, 115, 129, 155, 181, 195],
  // The middle 4x4 of 6x7, and the middle 4x2 of 8x6 by Image.BILINEAR.
  middle: [144, 131, 160, 93, 89, 119, 116, 164, 132, 137, 157, 130, 99, 117, 109, 144],
  ofBoth: [178, 129, 98, 143, 132, 147, 115, 166],
};

const LANCZOS_OF_PILLOW = {
  smaller: [105, 129, 127, 117, 114, 127, 136, 130, 119, 129, 121, 113],
  larger: [0, 0, 23, 52, 63, 54, 64, 93, 122, 133, 121, 133, 162, 191, 202],
  narrower: [
    27, 143, 145, 73, 183, 90, 131, 180, 65, 187, 139, 91, 143, 50, 160, 88, 90, 206, 46, 162, 164, 92, 202, 109,
  ],
};

describe('a picture at another size', () => {
  // Pillow 12: Image.fromarray(a).resize((w, h), Image.BILINEAR).
  it('is that of Pillow, bit for bit', () => {
    expect([...resized(ramp(4, 5), [4, 5, 1], [2, 2])]).toEqual(PILLOW.smaller);
    expect([...resized(ramp(2, 3), [2, 3, 1], [3, 5])]).toEqual(PILLOW.larger);
  });

  // The same with Image.LANCZOS.
  it('is that of Pillow by another filter too, one rounding apart at most', () => {
    const expectNear = (found: Uint8Array, expected: readonly number[]): void => {
      expect(found).toHaveLength(expected.length);
      expected.forEach((value, i) => expect(Math.abs(found[i]! - value)).toBeLessThanOrEqual(1));
    };
    expectNear(resized(ramp(9, 11), [9, 11, 1], [3, 4], LANCZOS), LANCZOS_OF_PILLOW.smaller);
    expectNear(resized(ramp(2, 3), [2, 3, 1], [3, 5], LANCZOS), LANCZOS_OF_PILLOW.larger);
    expectNear(resized(ramp(8, 8), [8, 8, 1], [8, 3], LANCZOS), LANCZOS_OF_PILLOW.narrower);
  });

  it('is that of Pillow by its cubic filter, bit for bit, and so is its middle', () => {
    expect([...resized(ramp(9, 11), [9, 11, 1], [3, 4], FILTERS.bicubic)]).toEqual(BICUBIC_OF_PILLOW.smaller);
    expect([...resized(ramp(2, 3), [2, 3, 1], [3, 5], FILTERS.bicubic)]).toEqual(BICUBIC_OF_PILLOW.larger);
    const cut = broughtTo(ramp(9, 11), [9, 11, 1], [4, 4], { filter: 'bicubic', cutFrom: 6 });
    expect([...cut]).toEqual(BICUBIC_OF_PILLOW.middle);
    expect([...broughtTo(ramp(9, 11), [9, 11, 1], [4, 2], { cutFrom: [8, 6] })]).toEqual(BICUBIC_OF_PILLOW.ofBoth);
  });

  it.each([
    [28, 1],
    [64, 0.4],
    [150, 0.3],
  ])('by Lanczos is close to what the readers of pictures have, at %s pixels', async (size, most) => {
    const [height, width] = [240, 320];
    const raw = Uint8Array.from({ length: height * width * 3 }, (_, i) => {
      const [y, x, c] = [Math.floor(i / (3 * width)), Math.floor(i / 3) % width, i % 3];
      return 128 + 60 * Math.sin(x / (5 + 3 * c)) * Math.cos(y / 9) + ((((x >> 4) + (y >> 4)) * 13) % 60);
    });
    const read = await sharp(raw, { raw: { width, height, channels: 3 } }).resize(size, size, { fit: 'fill' }).raw().toBuffer(); // prettier-ignore
    const off = resized(raw, [height, width, 3], [size, size], LANCZOS).map((value, i) => Math.abs(value - read[i]!));
    expect(off.reduce((sum, value) => sum + value, 0) / off.length).toBeLessThan(most);
  });

  it('in float is what its bytes are before rounding', () => {
    const bytes = resized(ramp(9, 7), [9, 7, 1], [4, 5]);
    const floats = resized(Float32Array.from(ramp(9, 7)), [9, 7, 1], [4, 5]);
    bytes.forEach((byte, i) => expect(Math.abs(byte - floats[i]!)).toBeLessThanOrEqual(1));
  });

  it('keeps channels apart', () => {
    const grey = ramp(6, 4);
    const two = Uint8Array.from({ length: 48 }, (_, i) => (i % 2 === 0 ? grey[i / 2]! : 9));
    const out = resized(two, [6, 4, 2], [3, 3]);
    expect(out.filter((_, i) => i % 2 === 0)).toEqual(resized(grey, [6, 4, 1], [3, 3]));
    expect(out.filter((_, i) => i % 2 === 1)).toEqual(new Uint8Array(9).fill(9));
  });

  it('in grey has the luma of ITU-R 601-2', () => {
    expect([...greyOf(Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30))]).toEqual([76, 150, 29, 18]);
  });
});
