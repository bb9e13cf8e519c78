/** A call in progress. Its arrays belong to the library until `wait` returns. */
export interface PendingCall {
  wait(): void;
}

/** Memory of all processes, by rank, of equal length, which all can read. Another process' values may be read after a call that both have reached. */
export interface SharedRooms {
  readonly rooms: readonly Float32Array[];
  /** Returns the memory for reuse; all processes must call it. */
  release(): void;
}

/**
 * A group of processes. All make the same calls in the same order, with arrays of the same length; a call returns when all have made it.
 */
export interface Collectives {
  /** Number of this process, from 0. */
  readonly rank: number;
  /** Number of processes. */
  readonly size: number;
  /** Seconds that this process has waited for others so far: most in the fastest process. */
  readonly waitedSeconds: number;
  /** Values of all processes in the order of their ranks, [size, length]. Valid until the next call. */
  allgather(own: Float32Array): Float32Array;
  /**
   * Starts to fill `all` with the slices of all processes that are addressed to this process; `own`: slices of this process for each; both [size,
   * length]. It does not wait: call it after a `barrier`. Several calls may be in progress, in the same order in all processes.
   */
  beginAlltoall(own: Float32Array, all: Float32Array): PendingCall;
  /** Like `beginAlltoall`: starts to fill `all` with the values of all processes in the order of their ranks, [size, length]. */
  beginAllgather(own: Float32Array, all: Float32Array): PendingCall;
  /** Sum over all processes, in an order that the library chooses: for figures, not for weights. */
  allreduce(own: Float32Array): Float32Array;
  /** Copies the values of rank 0 to all processes, in place. */
  broadcast(values: Float32Array): void;
  barrier(): void;
  /**
   * Shared memory of `length` numbers for each process; undefined if the processes share none, as on several machines. Absent if the library never
   * shares memory.
   */
  share?(length: number): SharedRooms | undefined;
  /** Like `barrier`, without a time limit, and without blocking the event loop. */
  meet(): Promise<void>;
  /** Ends all processes at once with this exit code. */
  abort(exitCode: number): void;
  /** Ends the communication; all processes must call it. */
  finish(): void;
}
