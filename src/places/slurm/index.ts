import type { Launcher } from '../../base/launchers.ts';

/** An array of Slurm jobs, each a shard. Processes that srun starts with PMIx share a run by MPI, see `places/mpi`. */
export const slurm: Launcher = {
  name: 'slurm',
  shards: [
    {
      by: 'a Slurm array',
      index: 'SLURM_ARRAY_TASK_ID',
      count: 'SLURM_ARRAY_TASK_COUNT',
      first: 'SLURM_ARRAY_TASK_MIN',
      step: 'SLURM_ARRAY_TASK_STEP',
    },
  ],
};
