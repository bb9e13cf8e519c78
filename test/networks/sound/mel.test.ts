import { cosines, framesOf, melFilters } from '../../../src/networks/sound/mel.ts';

/** One bin for each hertz, and bands that begin and end at whole mels: 15 mel are 1,000 Hz, and 27 mel a factor of 6.4. */
const sound = { rate: 12_800, window: 12_800, hop: 12_800, length: 12_800, mels: 41, low: 0, high: 6400 };
const hertz = (mel: number): number => (mel <= 15 ? (mel * 200) / 3 : 1000 * 6.4 ** ((mel - 15) / 27));

it('the bands are triangles of area 1 that reach from one centre of a neighbour to the other', () => {
  const filters = melFilters(sound);
  for (let m = 0; m < sound.mels; m++) {
    const band = Array.from({ length: 6401 }, (_, bin) => filters[bin * sound.mels + m]!);
    expect(band.reduce((sum, height) => sum + height, 0)).toBeCloseTo(1, 3);
    const [left, centre, right] = [hertz(m), hertz(m + 1), hertz(m + 2)];
    expect(Math.abs(band.indexOf(Math.max(...band)) - centre)).toBeLessThan(1);
    expect([band.findIndex((height) => height > 1e-9), band.findLastIndex((height) => height > 1e-9)]).toEqual([
      Math.floor(left + 1e-9) + 1,
      Math.ceil(right - 1e-9) - 1,
    ]);
  }
});

it('the cosines are an orthonormal basis, the first of them constant', () => {
  const basis = cosines(8, 8);
  const column = (k: number): number[] => Array.from({ length: 8 }, (_, m) => basis[m * 8 + k]!);
  for (let a = 0; a < 8; a++)
    for (let b = 0; b < 8; b++)
      expect(column(a).reduce((sum, value, m) => sum + value * column(b)[m]!, 0)).toBeCloseTo(a === b ? 1 : 0, 6);
  expect(column(0)).toEqual(new Array(8).fill(Math.fround(Math.sqrt(1 / 8))));
  expect(column(1)[0]).toBeCloseTo(0.5 * Math.cos(Math.PI / 16), 6);
});

it('frames lie in a sample whole', () => {
  expect([480, 799, 800, 16_000].map((length) => framesOf({ ...sound, length, window: 480, hop: 320 }))).toEqual([
    ...[1, 1, 2, 49],
  ]);
});
