import { classWeights } from '../../../src/data/splits/class-weights.ts';

it('balanced classes weigh the same, and a sample 1 on average, also where a class has no sample', () => {
  expect([...classWeights('balanced', Int32Array.of(0, 0, 0, 2), 3)]).toEqual([4 / 6, 0, 2].map(Math.fround));
});
