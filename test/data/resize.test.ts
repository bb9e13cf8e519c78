import { greyOf } from '../../src/data/pixels.ts';
import { resized } from '../../src/data/resize.ts';

const ramp = (h: number, w: number): Uint8Array => Uint8Array.from({ length: h * w }, (_, i) => (37 * i) % 251);

const PILLOW = {
  smaller: [104, 93, 127, 143],
  larger: [0, 15, 37, 59, 74, 56, 71, 93, 115, 130, 111, 126, 148, 170, 185],
};

describe('a picture at another size', () => {
  // Pillow 12: Image.fromarray(a).resize((w, h), Image.BILINEAR).
  it('is that of Pillow, bit for bit', () => {
    expect([...resized(ramp(4, 5), [4, 5, 1], [2, 2])]).toEqual(PILLOW.smaller);
    expect([...resized(ramp(2, 3), [2, 3, 1], [3, 5])]).toEqual(PILLOW.larger);
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
