import { addUp } from '../../../src/train/parallel/add-up.ts';

const ODD = [0, -0, 1e-45, 3.4e38, 1, 2 ** -24, Infinity, -1e-39];

const numbers = (length: number, seed: number): Float32Array =>
  Float32Array.from({ length }, (_, i) =>
    i % 3 === 0 ? ODD[(i * seed) % ODD.length]! : Math.sin(i * seed) * 10 ** (i % 9),
  );

const bits = (values: Float32Array): Uint32Array => new Uint32Array(values.slice().buffer);

it.each([1, 63, 64, 2047, 2048, 2049, 5000])('the sums of %i numbers have the bits of adding one by one', (length) => {
  const [one, other] = [numbers(length, 5), numbers(length, 7)];
  const expected = bits(one.map((value, i) => Math.fround(value + other[i]!)));
  const into = new Float32Array(length + 1).fill(9);
  addUp(one, other, into.subarray(0, length));
  expect(bits(into.subarray(0, length))).toEqual(expected);
  expect(into[length]).toBe(9);
  // In place, at any address.
  const shared = new Float32Array(new SharedArrayBuffer(4 * length + 4)).subarray(1);
  shared.set(one);
  addUp(shared, other, shared);
  expect(bits(shared)).toEqual(expected);
  addUp(one, other, other);
  expect(bits(other)).toEqual(expected);
});
