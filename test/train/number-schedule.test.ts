import { changingNumbers, createNumberSchedule } from '../../src/train/optimizers/schedules.ts';

const length = { stepsPerEpoch: 10, steps: 41 };

it('goes from one value to the other in a straight line or half a cosine, and stays', () => {
  const linear = createNumberSchedule({ from: 8, to: 2, curve: 'linear' }, length);
  expect([0, 20, 40].map(linear)).toEqual([8, 5, 2]);
  const cosine = createNumberSchedule({ from: 8, to: 2, curve: 'cosine' }, length);
  expect(cosine(0)).toBe(8);
  expect(cosine(10)).toBeCloseTo(2 + 3 * (1 + Math.cos(Math.PI / 4)), 12);
  expect(cosine(40)).toBe(2);
  const short = createNumberSchedule({ from: 0, to: 1, curve: 'linear', epochs: 1.1 }, length);
  expect([0, 5, 10, 40].map(short)).toEqual([0, 0.5, 1, 1]);
  expect(createNumberSchedule({ from: 3, to: 1, curve: 'cosine' }, { stepsPerEpoch: 1, steps: 1 })(0)).toBe(1);
});

it('the teacher weighs nothing from the end of its last epoch on', () => {
  const numbers = changingNumbers({ teacherUntil: 2 }, length);
  expect(numbers(19)).toEqual({});
  expect(numbers(20)).toEqual({ alpha: 0, featureWeight: 0 });
});
