import { shardOf, textOf } from '../../../src/base/shard.ts';

const array = (index: number) => ({ SLURM_ARRAY_TASK_ID: String(index), SLURM_ARRAY_TASK_COUNT: '4' });

it('each job of an array is a shard', () => {
  expect(textOf(shardOf(undefined, { ...array(2), SLURM_ARRAY_TASK_MIN: '0', SLURM_ARRAY_TASK_STEP: '1' }))).toBe(
    '2/4',
  );
  expect(textOf(shardOf(undefined, { ...array(20), SLURM_ARRAY_TASK_MIN: '10', SLURM_ARRAY_TASK_STEP: '5' }))).toBe(
    '2/4',
  );
});

it('an array with gaps is refused by its name', () => {
  const gaps = { ...array(9), SLURM_ARRAY_TASK_MIN: '1', SLURM_ARRAY_TASK_STEP: '1' };
  expect(() => shardOf(undefined, gaps)).toThrow(/a Slurm array says SLURM_ARRAY_TASK_ID=9/);
});
