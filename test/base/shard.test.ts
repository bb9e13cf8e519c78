import { partOf, shardOf, textOf } from '../../src/base/shard.ts';

describe('which shard a process is', () => {
  it.each([
    ['nothing tells', {}, '0/1'],
    ['a Kubernetes Indexed Job', { JOB_COMPLETION_INDEX: '3', JOB_COMPLETIONS: '8' }, '3/8'],
    [
      'a Slurm array from 10 in steps of 5',
      {
        SLURM_ARRAY_TASK_ID: '20',
        SLURM_ARRAY_TASK_COUNT: '4',
        SLURM_ARRAY_TASK_MIN: '10',
        SLURM_ARRAY_TASK_STEP: '5',
      },
      '2/4',
    ],
    ['Open MPI', { OMPI_COMM_WORLD_RANK: '1', OMPI_COMM_WORLD_SIZE: '2' }, '1/2'],
    ['MPICH', { PMI_RANK: '0', PMI_SIZE: '2' }, '0/2'],
    ['torchrun', { RANK: '5', WORLD_SIZE: '6' }, '5/6'],
    [
      'two that say the same',
      { RANK: '1', WORLD_SIZE: '2', OMPI_COMM_WORLD_RANK: '1', OMPI_COMM_WORLD_SIZE: '2' },
      '1/2',
    ],
    ['one of several and one of one', { RANK: '0', WORLD_SIZE: '1', PMI_RANK: '1', PMI_SIZE: '2' }, '1/2'],
  ])('%s', (_, environment, shard) => {
    expect(textOf(shardOf(undefined, environment))).toBe(shard);
    expect(textOf(shardOf('2/3', environment))).toBe('2/3');
  });

  it.each([
    [
      'an index without a number of them',
      { JOB_COMPLETION_INDEX: '3' },
      /JOB_COMPLETION_INDEX=3 and JOB_COMPLETIONS=,/,
    ],
    ['an index past the end', { RANK: '2', WORLD_SIZE: '2' }, /no shard/],
    [
      'a Slurm array with gaps',
      { SLURM_ARRAY_TASK_ID: '9', SLURM_ARRAY_TASK_COUNT: '3', SLURM_ARRAY_TASK_MIN: '1', SLURM_ARRAY_TASK_STEP: '1' },
      /SLURM_ARRAY_TASK_ID=9/,
    ],
    [
      'two that say different things',
      { RANK: '0', WORLD_SIZE: '2', JOB_COMPLETION_INDEX: '1', JOB_COMPLETIONS: '4' },
      /Kubernetes Indexed Job says shard 1\/4, and a launcher like torchrun says 0\/2/,
    ],
  ])('refuses %s', (_, environment, message) => {
    expect(() => shardOf(undefined, environment)).toThrow(message);
  });

  it.each(['4/4', '1', '1/0', '-1/4', 'x/2', '1/2/3'])('refuses --shard %s', (text) => {
    expect(() => shardOf(text, {})).toThrow(/--shard: expected i\/n/);
  });
});

it('every item belongs to exactly one shard', () => {
  const items = Array.from({ length: 11 }, (_, i) => i);
  const parts = [0, 1, 2, 3].map((index) => partOf(items, { index, count: 4 }));
  expect(parts.flat().sort((a, b) => a - b)).toEqual(items);
  expect(parts[1]).toEqual([1, 5, 9]);
});
