import { decimals, digits } from '../../src/base/numbers.ts';
import { milliseconds } from '../../src/report/format.ts';
import { repeatsOf, verdictOf } from '../../src/report/verdict.ts';
import { accuracyScore } from '../../src/tasks/score.ts';

it.each([
  [0, '0'],
  [-0, '0'],
  [-2e-16, '0'],
  [4e-5, '0'],
  [6e-5, '0.1 µs'],
  [0.05, '50.0 µs'],
  [0.5, '0.500 ms'],
  [5, '5.00 ms'],
  [5000, '5,000 ms'],
])('%d milliseconds are %s', (value, text) => expect(milliseconds(value)).toBe(text));

it.each([
  [-0.001, '0.00'],
  [-0.006, '-0.01'],
  [0.004, '0.00'],
  [12.345, '12.35'],
  [1.005, '1.01'],
  [-1.005, '-1.01'],
])('%d has the decimals %s', (value, text) => expect(decimals(value, 2)).toBe(text));

it('a gain has one text, whether it is the mean of differences or the difference of means', () => {
  const [distilled, scratch] = [
    [0.9075, 0.9022, 0.9021, 0.913],
    [0.8998, 0.8945, 0.8994, 0.9049],
  ];
  const { gain, sentence } = verdictOf(distilled, scratch);
  const change = repeatsOf(distilled, 10_000).mean - repeatsOf(scratch, 10_000).mean;
  expect(change).toBeLessThan(gain);
  expect(accuracyScore.change(change)).toBe('+0.66 points');
  expect(sentence).toMatch(/^\+0\.66 points /);
});

it.each([
  [0.12345, '0.1235'],
  [0.1 + 0.2, '0.3'],
  [1234.5, '1235'],
  [Infinity, 'Infinity'],
])('%d has the digits %s', (value, text) => expect(digits(value)).toBe(text));
