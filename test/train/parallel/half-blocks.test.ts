import { RandomStream } from '../../../src/base/random.ts';
import { halfBlocks, roundToHalfBlocks } from '../../../src/train/parallel/half-blocks.ts';

const random = new RandomStream('half blocks', 1);
const normal = (size: number, length = 256): Float32Array =>
  Float32Array.from({ length }, () => size * random.normal());

function sent(values: Float32Array): Float32Array {
  const packed = new Float32Array(halfBlocks.lengthOf(values.length));
  halfBlocks.pack(values, packed);
  const back = new Float32Array(values.length);
  halfBlocks.unpack(packed, back);
  return back;
}

const CASES: Readonly<Record<string, Float32Array>> = {
  'of usual size': normal(1, 1024),
  'that no half could hold': normal(1e30),
  'far below the smallest half': normal(1e-25),
  'below the smallest normal float': normal(1e-40),
  'of very different sizes': Float32Array.from({ length: 512 }, (_, i) => random.normal() * 10 ** (i % 30)),
  'whose largest rounds up to the next power of two': new Float32Array(256).fill(3e-9).fill(2 - 2 ** -23, 0, 1),
  'that are zero': new Float32Array(256),
};

it.each(Object.keys(CASES))('values %s: rounded they travel unchanged', (name) => {
  const values = CASES[name]!;
  const rounded = values.slice();
  roundToHalfBlocks(rounded);
  expect(rounded.every(Number.isFinite)).toBe(true);
  expect(sent(rounded)).toEqual(rounded);
  const again = rounded.slice();
  roundToHalfBlocks(again);
  expect(again).toEqual(rounded);
});

it.each(['of usual size', 'that no half could hold', 'far below the smallest half'])(
  'values %s: by half a unit of eleven bits at most, beside the largest of their block',
  (name) => {
    const values = CASES[name]!;
    const rounded = values.slice();
    roundToHalfBlocks(rounded);
    for (let start = 0; start < values.length; start += 256) {
      const block = values.subarray(start, start + 256);
      const most = block.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      block.forEach((value, i) => {
        const error = Math.abs(value - rounded[start + i]!);
        expect(error <= Math.max(2 ** -11 * Math.abs(value), 2 ** -39 * most)).toBe(true);
      });
    }
    expect(rounded).not.toEqual(values);
  },
);

it('what is not finite stays so, in its own block alone', () => {
  const values = normal(1, 512);
  values.set([NaN, Infinity, -Infinity], 7);
  roundToHalfBlocks(values);
  expect([...values.subarray(7, 10)]).toEqual([NaN, Infinity, -Infinity]);
  expect([...sent(values).subarray(7, 10)]).toEqual([NaN, Infinity, -Infinity]);
  expect(values.subarray(256).every(Number.isFinite)).toBe(true);
});

it('takes half the bytes, and a factor for each block', () => {
  expect(halfBlocks.lengthOf(1024)).toBe(1024 / 2 + 4);
});
