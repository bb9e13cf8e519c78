import { decimals } from '../../src/base/numbers.ts';
import { milliseconds } from '../../src/report/format.ts';

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
])('%d has the decimals %s', (value, text) => expect(decimals(value, 2)).toBe(text));
