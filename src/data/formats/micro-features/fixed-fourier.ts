/**
 * Fourier transform in 16-bit integers, as devices compute it: the arithmetic of KISS FFT (M. Borgerding, `FIXED_POINT=16`), so that every rounding is that of
 * the device. A number has 15 bits behind the point; each stage divides by 4 before it adds, and the results are the transform over the length.
 */

const FRACTION_BITS = 15;
const MOST = 32_767;

/** The nearest number of 15 bits behind the point to a product of two, in 16 bits. */
const rounded = (product: number): number => (((product + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS) << 16) >> 16;
const scaled = (value: number, by: number): number => rounded(value * by);
const wrapped = (value: number): number => (value << 16) >> 16;

/** Cosines and sines of `count` angles in 16 bits. */
function tableOf(count: number, angle: (i: number) => number): { readonly cos: Int16Array; readonly sin: Int16Array } {
  const table = (of: (x: number) => number): Int16Array =>
    Int16Array.from({ length: count }, (_, i) => Math.floor(0.5 + MOST * of(angle(i))));
  return { cos: table(Math.cos), sin: table(Math.sin) };
}

/** Function that computes the power of the `size / 2 + 1` frequencies of `size` real values in 16 bits; `size`: twice a power of 4. */
export function fixedPowers(size: number): (values: Int16Array) => Uint32Array {
  const half = size / 2;
  if (4 ** Math.round(Math.log2(half) / 2) !== half) throw new Error(`expected twice a power of 4, received ${size}`);
  const turns = tableOf(half, (i) => (-2 * Math.PI * i) / half);
  const splits = tableOf(half / 2, (i) => -Math.PI * ((i + 1) / half + 0.5));
  const [real, imaginary] = [new Int16Array(half), new Int16Array(half)];
  const order = orderOf(half);
  return (values) => {
    for (let i = 0; i < half; i++) {
      real[i] = values[2 * order[i]!]!;
      imaginary[i] = values[2 * order[i]! + 1]!;
    }
    for (let part = 1; part < half; part *= 4) combine(real, imaginary, part, turns);
    return powersOf(real, imaginary, splits);
  };
}

/** Places of the values in the order in which the butterflies take them: digits to the base of 4, reversed. */
function orderOf(count: number): Uint16Array {
  const order = new Uint16Array(count);
  for (let i = 0; i < count; i++) {
    let reversed = 0;
    for (let [rest, unit] = [i, 1]; unit < count; unit *= 4, rest >>= 2) reversed = reversed * 4 + (rest & 3);
    order[i] = reversed;
  }
  return order;
}

type Turns = ReturnType<typeof tableOf>;

/** A stage of butterflies of four: transforms of `part` values become transforms of four times as many. */
function combine(real: Int16Array, imaginary: Int16Array, part: number, { cos, sin }: Turns): void {
  const stride = real.length / (4 * part);
  const quarter = Math.trunc(MOST / 4);
  const turn = (at: number, by: number): void => {
    const [r, i] = [scaled(real[at]!, quarter), scaled(imaginary[at]!, quarter)];
    real[at] = rounded(r * cos[by]! - i * sin[by]!);
    imaginary[at] = rounded(r * sin[by]! + i * cos[by]!);
  };
  for (let start = 0; start < real.length; start += 4 * part)
    for (let k = 0; k < part; k++) {
      const first = start + k;
      const [second, third, fourth] = [first + part, first + 2 * part, first + 3 * part];
      turn(second, k * stride);
      turn(third, 2 * k * stride);
      turn(fourth, 3 * k * stride);
      const [r, i] = [scaled(real[first]!, quarter), scaled(imaginary[first]!, quarter)];
      const [evenR, evenI] = [wrapped(r + real[third]!), wrapped(i + imaginary[third]!)];
      const [leftR, leftI] = [wrapped(r - real[third]!), wrapped(i - imaginary[third]!)];
      const [sumR, sumI] = [wrapped(real[second]! + real[fourth]!), wrapped(imaginary[second]! + imaginary[fourth]!)];
      const [apartR, apartI] = [
        wrapped(real[second]! - real[fourth]!),
        wrapped(imaginary[second]! - imaginary[fourth]!),
      ];
      real[first] = evenR + sumR;
      imaginary[first] = evenI + sumI;
      real[second] = leftR + apartI;
      imaginary[second] = leftI - apartR;
      real[third] = evenR - sumR;
      imaginary[third] = evenI - sumI;
      real[fourth] = leftR - apartI;
      imaginary[fourth] = leftI + apartR;
    }
}

/** Powers of the frequencies of the real values, from the transform of pairs of values as complex numbers. */
function powersOf(real: Int16Array, imaginary: Int16Array, { cos, sin }: Turns): Uint32Array {
  const half = real.length;
  const powers = new Uint32Array(half + 1);
  const halved = (value: number): number => scaled(value, Math.trunc(MOST / 2));
  const put = (k: number, r: number, i: number): void => {
    powers[k] = r * r + i * i;
  };
  const [r0, i0] = [halved(real[0]!), halved(imaginary[0]!)];
  put(0, wrapped(r0 + i0), 0);
  put(half, wrapped(r0 - i0), 0);
  for (let k = 1; k <= half / 2; k++) {
    const mirror = half - k;
    const [r, i] = [halved(real[k]!), halved(imaginary[k]!)];
    const [mr, mi] = [halved(real[mirror]!), halved(wrapped(-imaginary[mirror]!))];
    const [sumR, sumI] = [wrapped(r + mr), wrapped(i + mi)];
    const [apartR, apartI] = [wrapped(r - mr), wrapped(i - mi)];
    const [c, s] = [cos[k - 1]!, sin[k - 1]!];
    const [turnedR, turnedI] = [rounded(apartR * c - apartI * s), rounded(apartR * s + apartI * c)];
    put(k, (sumR + turnedR) >> 1, (sumI + turnedI) >> 1);
    put(mirror, (sumR - turnedR) >> 1, (turnedI - sumI) >> 1);
  }
  return powers;
}
