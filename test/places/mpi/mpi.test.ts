import { launchers } from '../../../src/base/launchers.ts';
import { shardOf, textOf } from '../../../src/base/shard.ts';

const LAUNCHES = [
  ['Open MPI', { OMPI_COMM_WORLD_RANK: '1', OMPI_COMM_WORLD_SIZE: '2' }, { by: 'Open MPI', size: 2, rank: 1 }],
  ['MPICH', { PMI_RANK: '0', PMI_SIZE: '3' }, { by: 'MPICH', size: 3, rank: 0 }],
] as const;

describe.each(LAUNCHES)('%s', (_, environment, launch) => {
  it('says the shard of a process that works by itself', () => {
    expect(textOf(shardOf(undefined, environment))).toBe(`${launch.rank}/${launch.size}`);
  });

  it('says the launch of a process that shares a run', () => {
    expect(launchers.get('mpi').launched!(environment)).toEqual(launch);
  });
});

it("processes of Slurm's srun with PMIx share a run, jobs of it without PMIx do not", () => {
  const { launched } = launchers.get('mpi');
  expect(launched!({ PMIX_RANK: '1', SLURM_STEP_NUM_TASKS: '4' })).toEqual({ by: 'Open MPI', size: 4, rank: 1 });
  expect(launched!({ SLURM_STEP_NUM_TASKS: '4' })).toBeUndefined();
});
