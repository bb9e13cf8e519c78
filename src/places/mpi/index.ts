import type { EnvironmentVariables, Launch, Launcher } from '../../base/launchers.ts';

/** Open MPI and MPICH: mpirun starts processes that share each batch of a run, or shards of work that needs no exchange. */
export const mpi: Launcher = {
  name: 'mpi',
  shards: [
    { by: 'Open MPI', index: 'OMPI_COMM_WORLD_RANK', count: 'OMPI_COMM_WORLD_SIZE' },
    { by: 'MPICH', index: 'PMI_RANK', count: 'PMI_SIZE' },
  ],
  launched: mpiLaunch,
};

/** Launch by mpirun or a similar program, or by Slurm's srun with PMIx, which counts as Open MPI; undefined without a launcher. */
function mpiLaunch(environment: EnvironmentVariables): Launch | undefined {
  const { OMPI_COMM_WORLD_SIZE: open, OMPI_COMM_WORLD_RANK: openRank, PMI_SIZE: mpich, PMI_RANK: rank } = environment;
  if (open !== undefined) return { by: 'Open MPI', size: Number(open), rank: Number(openRank) };
  const { PMIX_RANK: pmixRank, SLURM_STEP_NUM_TASKS: tasks } = environment;
  if (pmixRank !== undefined && tasks !== undefined)
    return { by: 'Open MPI', size: Number(tasks), rank: Number(pmixRank) };
  return mpich === undefined ? undefined : { by: 'MPICH', size: Number(mpich), rank: Number(rank) };
}
