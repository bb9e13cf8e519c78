import { createNumberSchedule } from '../../src/train/optimizers/schedules.ts';

const length = { stepsPerEpoch: 10, steps: 41 };

it('goes from one value to the other in a straight line, and stays', () => {
  const all = createNumberSchedule({ from: 8, to: 2 }, length);
  expect([0, 20, 40].map(all)).toEqual([8, 5, 2]);
  const short = createNumberSchedule({ from: 0, to: 1, epochs: 1.1 }, length);
  expect([0, 5, 10, 40].map(short)).toEqual([0, 0.5, 1, 1]);
  expect(createNumberSchedule({ from: 3, to: 1 }, { stepsPerEpoch: 1, steps: 1 })(0)).toBe(1);
});
