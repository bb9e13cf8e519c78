import { speedSaid } from '../../src/tools/compress/compress.ts';

it.each([
  [0.68, [0.61, 0.74] as const, '0.68× (0.61 to 0.74)'],
  [1.1, [0.2, 1.6] as const, '1.10× (not decided: 0.20 to 1.60)'],
  [0.2, null, '0.20× (not decided: too few sessions)'],
])('a speed of %d times with the interval %j', (speed, interval, text) =>
  expect(speedSaid({ speed, interval })).toBe(text),
);
