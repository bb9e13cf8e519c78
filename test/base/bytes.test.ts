import { concatBytes, fromHalf, fromHalfArray, toHalf, toHalfArray } from '../../src/base/bytes.ts';

describe('half precision', () => {
  it('round-trips every finite binary16 value', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      if ((bits & 0x7c00) === 0x7c00) continue;
      if (toHalf(fromHalf(bits)) !== bits)
        throw new Error(`bits ${bits}: ${fromHalf(bits)} -> ${toHalf(fromHalf(bits))}`);
    }
  });

  it.each([
    [1 + 2 ** -11, 0x3c00], // halfway between 1 and the next: to even
    [1 + 3 * 2 ** -11, 0x3c02],
    [65504, 0x7bff],
    [65519.99, 0x7bff],
    [65520, 0x7c00], // rounds up to infinity
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000], // halfway to the smallest subnormal: to even
    [2 ** -25 * 1.0001, 0x0001],
    [-Infinity, 0xfc00],
    [-0, 0x8000],
  ])('rounds %p to the nearest even', (value, bits) => {
    expect(toHalf(value)).toBe(bits);
  });

  it('keeps NaN', () => {
    expect(fromHalf(toHalf(NaN))).toBeNaN();
  });

  it('converts arrays', () => {
    expect([...fromHalfArray(toHalfArray(Float32Array.of(0.5, -2, 1024)))]).toEqual([0.5, -2, 1024]);
  });
});

it('concatenates bytes', () => {
  expect([...concatBytes([Uint8Array.of(1), Uint8Array.of(), Uint8Array.of(2, 3)])]).toEqual([1, 2, 3]);
});
