import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../../src/base/random.ts';
import { fourierTables, powerSpectrum } from '../../../src/networks/sound/fourier.ts';
import { bandGroups, melFilters } from '../../../src/networks/sound/mel.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

/** Powers of the first bins in double precision, by the definition of the transform. */
function powers(x: Float32Array, bins: number): number[] {
  return Array.from({ length: bins }, (_, k) => {
    let [re, im] = [0, 0];
    x.forEach((value, n) => {
      const angle = (2 * Math.PI * ((k * n) % x.length)) / x.length;
      re += value * Math.cos(angle);
      im -= value * Math.sin(angle);
    });
    return re ** 2 + im ** 2;
  });
}

it.each([
  ['480 values in two stages', 480, 120, 6000],
  ['all bins', 400, 201, 6000],
  ['a power of two', 256, 129, 6000],
  ['an odd length', 481, 100, 20_000],
  ['few bins of a short frame', 30, 4, 400],
  ['a prime length, which has no second stage', 31, 16, 1200],
])('the powers of %s are those of the transform', (_, length, bins, most) => {
  const random = new RandomStream('fourier');
  const rows = [0, 1].map(() => Float32Array.from({ length }, () => random.normal()));
  const tables = fourierTables(length, bins);
  const x = tf.tensor2d([...rows[0]!, ...rows[1]!], [2, length]);
  const found = powerSpectrum(x, tables);
  expect(found.shape[1]).toBeGreaterThanOrEqual(bins);
  rows.forEach((row, i) => {
    const expected = powers(row, bins);
    const largest = Math.max(...expected);
    const actual = found.arraySync()[i]!;
    expected.forEach((value, k) => expect(Math.abs(actual[k]! - value) / largest).toBeLessThan(1e-6));
  });
  const { parts, turnCosines, turnSines, whole } = tables;
  expect([parts, turnCosines, turnSines, whole].reduce((sum, { length: n }) => sum + n, 0)).toBeLessThan(most);
});

it('groups of bands are the whole matrix, with a fraction of its numbers', () => {
  for (const [mels, high] of [
    [40, 4000],
    [64, 8000],
    // Bands narrower than a bin, some of which reach none.
    [128, 8000],
  ] as const) {
    const sound = { rate: 16_000, length: 16_000, window: 480, hop: 320, mels, low: 20, high };
    const filters = melFilters(sound);
    const rebuilt = new Float64Array(filters.length);
    const groups = bandGroups(sound);
    let band = 0;
    for (const group of groups) {
      group.filters.forEach((value, i) => {
        const bin = group.from + Math.floor(i / group.bands);
        rebuilt[bin * mels + band + (i % group.bands)] = value;
      });
      band += group.bands;
    }
    expect(band).toBe(mels);
    expect(rebuilt).toEqual(Float64Array.from(filters, Math.fround));
    expect(groups.reduce((sum, group) => sum + group.filters.length, 0)).toBeLessThan(filters.length / 5);
  }
});
