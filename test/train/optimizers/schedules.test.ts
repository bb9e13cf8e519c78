import { createSchedule, type ScheduleConfig } from '../../../src/train/optimizers/schedules.ts';

const length = { stepsPerEpoch: 10, steps: 100 };
const at = (config: Omit<ScheduleConfig, 'learningRate'>, step: number): number =>
  createSchedule({ learningRate: 0.8, ...config }, length)(step);

it('constant stays', () => {
  expect([0, 50, 99].map((step) => at({ schedule: 'constant' }, step))).toEqual([0.8, 0.8, 0.8]);
});

it('linear falls in a straight line to 0', () => {
  const config = { schedule: 'linear' } as const;
  expect(at(config, 0)).toBeCloseTo(0.8, 12);
  expect(at(config, 50)).toBeCloseTo(0.4, 12);
  expect(at(config, 99)).toBeCloseTo(0.008, 12);
});

it('cosine is at the mean of its ends half way', () => {
  const config = { schedule: 'cosine' } as const;
  expect(at(config, 0)).toBe(0.8);
  expect(at(config, 25)).toBeCloseTo((0.8 * (1 + Math.SQRT1_2)) / 2, 12);
  expect(at(config, 50)).toBeCloseTo(0.4, 12);
});

it('step divides by ten at each milestone, given in epochs', () => {
  const config = { schedule: 'step', milestones: [3, 6.5] } as const;
  const rates = [29, 30, 64, 65].map((step) => at(config, step));
  expect(rates.map((rate) => Math.fround(rate))).toEqual([0.8, 0.08, 0.08, 0.008].map(Math.fround));
});

it('onecycle rises to the peak, then falls to the end', () => {
  const config = { schedule: 'onecycle' } as const;
  expect(at(config, 0)).toBeCloseTo(0.8 / 25, 12);
  expect(at(config, 30)).toBeCloseTo(0.8, 12);
  expect(at(config, 65)).toBeCloseTo(0.4, 12);
  expect(at({ ...config, warmup: 5 }, 50)).toBeCloseTo(0.8, 12);
});

it('warms up in a straight line, then follows the schedule over the steps left', () => {
  const config = { schedule: 'cosine', warmup: 2 } as const;
  expect(at(config, 0)).toBeCloseTo(0.8 / 21, 12);
  expect(at(config, 19)).toBeCloseTo((0.8 * 20) / 21, 12);
  expect(at(config, 20)).toBe(0.8);
  expect(at(config, 60)).toBeCloseTo(0.4, 12);
});

it('stays at the end when asked beyond it', () => {
  expect(at({ schedule: 'cosine' }, 1000)).toBeCloseTo(0, 12);
});

it('goes through each cycle in its share of the steps, lower each time, and the first as if it were alone', () => {
  const cycles = { schedule: 'cosine', warmup: 1, cycles: 3, cycleFactor: 0.5 } as const;
  const alone = createSchedule({ ...cycles, cycles: 1, learningRate: 0.8 }, { stepsPerEpoch: 10, steps: 33 });
  const steps = Array.from({ length: 33 }, (_, step) => step);
  expect(steps.map((step) => at(cycles, step))).toEqual(steps.map(alone));
  expect(at(cycles, 33)).toBeCloseTo(0.4 / 11, 12);
  expect(at(cycles, 67 + 10)).toBeCloseTo(0.2, 12);
  expect(at(cycles, 99)).toBeLessThan(0.03);
  expect(at(cycles, 1000)).toBeCloseTo(0, 12);
});
