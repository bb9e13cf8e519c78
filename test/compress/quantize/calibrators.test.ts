import { RandomStream } from '../../../src/base/random.ts';
import { calibrators } from '../../../src/compress/quantize/calibrators.ts';
import type { CalibratorName } from '../../../src/compress/quantize/calibrators.ts';
import type { ActivationRange } from '../../../src/compress/quantize/histogram.ts';
import { HistogramBuilder } from '../../../src/compress/quantize/histogram.ts';
import { asymmetric } from '../../../src/graph/quantization.ts';

const random = new RandomStream('calibrators');
const many = (draw: () => number, length = 2000): Float32Array => Float32Array.from({ length }, draw);

const DISTRIBUTIONS: Record<string, Float32Array> = {
  normal: many(() => random.normal()),
  'after a relu': many(() => Math.max(0, random.normal())),
  'a long tail': many(() => Math.exp(2.5 * random.normal())),
  'one outlier': Float32Array.of(...many(() => random.normal(), 1999), 1e4),
  'two far ends': many(() => (random.uniform() < 0.5 ? -100 : 100) + random.normal()),
  'nearly always zero': many(() => (random.uniform() < 0.005 ? random.uniform() * 10 : 0)),
  'all negative': many(() => -2 - random.uniform()),
  'all zeros': new Float32Array(1000),
  'one value': new Float32Array(1000).fill(3.5),
  'one negative value': new Float32Array(1000).fill(-0.25),
  'one sample': Float32Array.of(0.7),
  'tiny values': many(() => 1e-30 * random.normal()),
};

function histogramOf(...batches: readonly Float32Array[]) {
  const builder = new HistogramBuilder();
  for (const values of batches) builder.add(values);
  return builder.result();
}

const calibrated = (name: CalibratorName, values: Float32Array): ActivationRange =>
  calibrators[name](histogramOf(values));

/** What int8 makes of the values, with the very scales that are stored. */
function squaredError(values: Float32Array, { min, max }: ActivationRange): number {
  const { scales, zeroPoints } = asymmetric(min, max, 'int8');
  let sum = 0;
  for (const value of values) {
    const stored = Math.max(-128, Math.min(127, Math.round(value / scales[0]!) + zeroPoints[0]!));
    sum += ((stored - zeroPoints[0]!) * scales[0]! - value) ** 2;
  }
  return sum / values.length;
}

const grid = Array.from({ length: 11 }, (_, i) => i / 10);
const bounds = (values: Float32Array): ActivationRange => ({
  min: Math.min(0, ...values),
  max: Math.max(0, ...values),
});

describe.each(Object.entries(DISTRIBUTIONS))('of %s', (name, values) => {
  const { min, max } = bounds(values);
  const energy = values.reduce((sum, value) => sum + value * value, 0) / values.length;

  it.each(Object.keys(calibrators) as CalibratorName[])('%s does not collapse', (calibrator) => {
    const range = calibrated(calibrator, values);
    expect(range.min).toBeGreaterThanOrEqual(min);
    expect(range.max).toBeLessThanOrEqual(max * (1 + 1e-9));
    expect(range.min).toBeLessThanOrEqual(0);
    expect(range.max).toBeGreaterThanOrEqual(0);
    // A collapsed range would give the same integer for everything; clipping a single outlier in 5,000 may cost its energy.
    if (min < max) expect(range.max - range.min).toBeGreaterThan(0);
    if (energy > 0 && name !== 'one outlier' && name !== 'a long tail') {
      expect(squaredError(values, range)).toBeLessThan(0.02 * energy);
    }
  });

  it('minmax keeps everything', () => {
    expect(calibrated('minmax', values)).toEqual({ min, max });
  });

  it('mse is as good as the best range of a grid, tried one by one', () => {
    const best = grid.reduce(
      (least, low) =>
        grid.reduce((l, high) => Math.min(l, squaredError(values, { min: min * low, max: max * high })), least),
      Infinity,
    );
    // Beside the outlier all other values lie in one bin: how they are spread inside it, no histogram knows.
    const slack = name === 'one outlier' ? 2 : 1.25;
    expect(squaredError(values, calibrated('mse', values))).toBeLessThanOrEqual(slack * best + 1e-5 * energy);
  });

  it('percentile cuts as sorting would, to the width of a bin', () => {
    const sorted = values.filter((value) => value !== 0).sort();
    const tail = Math.floor(sorted.length * (0.0001 / 2));
    const range = calibrated('percentile', values);
    const bin = (max - min) / 2048;
    expect(Math.abs(range.min - Math.min(0, sorted[tail] ?? 0))).toBeLessThanOrEqual(bin * 1.001);
    expect(Math.abs(range.max - Math.max(0, sorted.at(-1 - tail) ?? 0))).toBeLessThanOrEqual(bin * 1.001);
  });
});

it('percentile clips no more than the share at each end, and all of it but for a bin', () => {
  // 100,000 values, of which 5 at each end may go: 4 lie far out, then 20 in one bin.
  const ends = (sign: number): number[] => [
    ...[40, 50, 60, 70].map((value) => sign * value),
    ...new Array<number>(20).fill(sign * 20),
  ];
  const values = Float32Array.of(...many(() => random.uniform() - 0.5, 100_000 - 48), ...ends(1), ...ends(-1));
  const { min, max } = calibrated('percentile', values);
  const bin = 140 / 2048;
  expect([max > 20, max <= 20 + bin, min <= -20, min >= -20 - bin]).toEqual([true, true, true, true]);
});

it('percentile clips a value of 40,000 that lies far out', () => {
  const values = Float32Array.of(...many(() => random.normal(), 39_999), 1e4);
  expect(calibrated('percentile', values).max).toBeLessThan(10);
});

it('zeros are no part of a histogram: 8 bits hold them whatever the range', () => {
  const { bins } = histogramOf(Float32Array.of(0, 0, -1, 0, 3, 3));
  expect(bins.reduce((sum, count) => sum + count, 0)).toBe(3);
  expect([bins[0], bins.at(-1)]).toEqual([1, 2]);
});

it('refuses a value that is infinite or no number, beyond a limit too', () => {
  for (const value of [NaN, Infinity, -Infinity])
    for (const limits of [undefined, { min: -1, max: 1 }])
      expect(new HistogramBuilder(limits).add(Float32Array.of(1, value))).toBe(false);
});

it.each(Object.entries(DISTRIBUTIONS))('of %s: the order of the values changes no histogram', (_, values) => {
  const half = values.length >> 1;
  const [whole, parts] = [histogramOf(values), histogramOf(values.subarray(half), values.subarray(0, half))];
  expect(parts).toEqual(whole);
  expect(histogramOf(values.toReversed())).toEqual(whole);
  const { min, max, start, width, bins } = whole;
  expect({ min, max }).toEqual(bounds(values));
  // Each value lies in its bin, of which there are at least 2048 from the smallest to the largest.
  for (const value of values) if (value !== 0) expect(bins[Math.floor((value - start) / width)]).toBeGreaterThan(0);
  expect(width).toBeLessThanOrEqual((max - min) / 2048);
});

it('counts values beyond limits as if they were there', () => {
  const limited = new HistogramBuilder({ min: -1, max: 2 });
  limited.add(Float32Array.of(-5, -1, 0.5, 2, 7));
  expect(limited.result()).toEqual(histogramOf(Float32Array.of(-1, -1, 0.5, 2, 2)));
});
