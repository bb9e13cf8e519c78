/**
 * Processes that compute one thing together. Every one of them makes the same calls in the same order, with arrays of the same length;
 * a call returns when all have made it.
 */
export interface Collectives {
  /** Number of this process, from 0. */
  readonly rank: number;
  /** Number of processes. */
  readonly size: number;
  /** Seconds that calls of this process have waited for the others so far: most in the fastest. */
  readonly waitedSeconds: number;
  /** Values of all processes in the order of their ranks, [size, length]. Valid until the next call of it. */
  allgather(own: Float32Array): Float32Array;
  /** `own`: what this process has for each, [size, length]; given is what each has for this one. Valid until the next call of it. */
  alltoall(own: Float32Array): Float32Array;
  /** The sum of what all have. The order in which it is added up is the library's: for figures, not for weights. */
  allreduce(own: Float32Array): Float32Array;
  /** Copies the values of rank 0 to all processes, in place. */
  broadcast(values: Float32Array): void;
  barrier(): void;
  /** Ends all processes at once with this exit code. */
  abort(exitCode: number): void;
  /** End of the communication, to be called by all processes. */
  finish(): void;
}
