/** A call that is under way. The arrays that it was given are the library's until `wait` returns. */
export interface PendingCall {
  wait(): void;
}

/** Memory of each process that all can read, by rank, of one length. What another has written is to be read after a call that both have come to. */
export interface SharedRooms {
  readonly rooms: readonly Float32Array[];
  /** Gives the memory back for another use, to be called by all processes. */
  release(): void;
}

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
  /**
   * Begins to fill `all` with what each has for this process; `own`: what this one has for each; both [size, length]. It waits for nobody:
   * to be called after a `barrier`. Several calls may be under way, in the same order in all processes.
   */
  beginAlltoall(own: Float32Array, all: Float32Array): PendingCall;
  /** As `beginAlltoall`: begins to fill `all` with the values of all processes in the order of their ranks, [size, length]. */
  beginAllgather(own: Float32Array, all: Float32Array): PendingCall;
  /** The sum of what all have. The order in which it is added up is the library's: for figures, not for weights. */
  allreduce(own: Float32Array): Float32Array;
  /** Copies the values of rank 0 to all processes, in place. */
  broadcast(values: Float32Array): void;
  barrier(): void;
  /** Shared memory of `length` numbers of each process; undefined where the processes share none, as on several machines. Absent where the library never shares memory. */
  share?(length: number): SharedRooms | undefined;
  /** As `barrier`, however long it takes, and with time for other things meanwhile. */
  meet(): Promise<void>;
  /** Ends all processes at once with this exit code. */
  abort(exitCode: number): void;
  /** End of the communication, to be called by all processes. */
  finish(): void;
}

interface Items {
  readonly count: number;
  /** Most numbers of an item. */
  readonly width: number;
  /** Items in a row that are one turn. Default 1. */
  readonly each?: number;
}

/**
 * Results of `compute` for items 0 … count - 1, [count, width]. The processes take turns at the items, and all get all: the same numbers as
 * from one process.
 */
export async function inTurns(
  together: Collectives | undefined,
  { count, width, each = 1 }: Items,
  compute: (item: number) => Promise<Float32Array>,
): Promise<Float32Array> {
  const { rank, size } = together ?? { rank: 0, size: 1 };
  const most = each * Math.ceil(count / (each * size));
  const own = new Float32Array(most * width);
  for (let i = 0; i < most; i++) {
    const item = (Math.floor(i / each) * size + rank) * each + (i % each);
    if (item < count) own.set(await compute(item), i * width);
  }
  if (together === undefined || size === 1) return own.subarray(0, count * width);
  const gathered = together.allgather(own);
  const all = new Float32Array(count * width);
  for (let item = 0; item < count; item++) {
    const turn = Math.floor(item / each);
    const at = (turn % size) * most + Math.floor(turn / size) * each + (item % each);
    all.set(gathered.subarray(at * width, (at + 1) * width), item * width);
  }
  return all;
}

/** Of each wish, true if any of the processes has it. */
export function wanted<T extends readonly boolean[]>(wishes: readonly [...T], together: Collectives | undefined): T {
  if (together === undefined) return wishes as T;
  return [...together.allreduce(Float32Array.from(wishes, Number))].map((count) => count > 0) as unknown as T;
}

/** True where there are others to share the work with. */
export function several(together: Collectives | undefined): together is Collectives {
  return together !== undefined && together.size > 1;
}
