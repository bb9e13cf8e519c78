import { shardOf } from './shard.ts';
import type { Shard } from './shard.ts';

/** Sets the environment variables that libtensorflow reads when it is loaded, so call this before. Settings of the user stay. */
export function prepareTensorFlow({ threads = 0, gpu = true }: { threads?: number; gpu?: boolean } = {}): void {
  // Warnings and errors only.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '1';
  // It would take all memory of the GPU, which ONNX Runtime and other processes share.
  process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true';
  if (threads > 0) process.env['TF_NUM_INTRAOP_THREADS'] ??= String(threads);
  // The only way to the CPU with a library for CUDA: tfjs-node computes on the first GPU that is seen.
  if (!gpu) process.env['CUDA_VISIBLE_DEVICES'] = '-1';
}

/**
 * Keeps ONNX Runtime from sending data on this machine and its models to Microsoft, which its packages for Linux and macOS do since 1.30, and
 * from the files that it keeps for that: an identifier of the machine and a database in the user's cache, a log in the folder for temporary
 * files for each process (microsoft/onnxruntime#27379). The library reads the variable when it is set up, so call this before. Your own
 * setting stays.
 */
export function preventTelemetry(): void {
  process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
}

/** Launcher that started this process as one of several, and their number. */
export interface MpiLaunch {
  readonly by: 'Open MPI' | 'MPICH';
  readonly size: number;
  readonly rank: number;
}

/** Launch by mpirun or the like, or by Slurm's srun with PMIx, which is Open MPI; undefined where nothing like it has started this process. */
export function mpiLaunch(): MpiLaunch | undefined {
  const { OMPI_COMM_WORLD_SIZE: open, OMPI_COMM_WORLD_RANK: openRank, PMI_SIZE: mpich, PMI_RANK: rank } = process.env;
  if (open !== undefined) return { by: 'Open MPI', size: Number(open), rank: Number(openRank) };
  const { PMIX_RANK: pmixRank, SLURM_STEP_NUM_TASKS: tasks } = process.env;
  if (pmixRank !== undefined && tasks !== undefined)
    return { by: 'Open MPI', size: Number(tasks), rank: Number(pmixRank) };
  return mpich === undefined ? undefined : { by: 'MPICH', size: Number(mpich), rank: Number(rank) };
}

/**
 * Sets variables that libraries of MPI read when they are loaded, which is to come after this. Your own settings stay. Open MPI and UCX
 * patch the machine code of mmap, brk and their like, to remember which memory a network card knows. A few starts of Node under Open MPI ended
 * in a segmentation fault, none since this is off; that it was the cause is not shown.
 */
export function prepareMpi(): void {
  process.env['OMPI_MCA_memory'] ??= '^patcher';
  process.env['UCX_MEM_EVENTS'] ??= 'no';
}

/** The shard of a work that several processes share, by `--shard i/n` or by the launcher that has started this one. */
export function ownShard(given: string | undefined): Shard {
  return shardOf(given, process.env);
}
