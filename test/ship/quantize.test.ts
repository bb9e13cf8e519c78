import { rankedSamples } from '../../src/ship/quantize.ts';

it.each([
  ['ten classes', 10, 128],
  ['a thousand classes', 1000, 128],
  ['boxes of three classes at 525 points', 525 * 7, 36],
  ['boxes of 80 classes at 2,100 points', 2100 * 84, 32],
])('layers of a model with answers of %s are ranked by enough samples, and no more', (_, width, samples) => {
  expect(rankedSamples(width)).toBe(samples);
});
