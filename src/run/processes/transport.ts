import type { PendingCall, Collectives, SharedRooms } from './collectives.ts';
import type { Slices } from '../../train/parallel/slices.ts';

/** Number of turns that are in transit while one is processed. */
const AHEAD = 4;

/** Exchange of slices between processes. In each turn every process has a slice for every process: [turns, processes, width]. */
export interface Transport {
  /** Values of this process, [turns, processes, width]: the slice at index r goes to rank r. */
  readonly values: Float32Array;
  /**
   * Calls `take`, turn by turn, with the slices of all processes that are addressed to this process. All processes must call it after they have
   * filled `values`.
   */
  collect(take: (turn: number, slices: readonly Float32Array[]) => void): void;
  /** Each process fills its slice of every turn and receives the slices of the others. */
  spread(fill: (turn: number, slice: Float32Array) => void, take: Take): void;
  dispose(): void;
}

type Take = (turn: number, rank: number, slice: Float32Array) => void;

/** Shared memory for processes on the same machine, messages for others. */
export function transportOf(group: Collectives, slices: Slices): Transport {
  const { turns, width } = slices;
  const shared = group.share?.(turns * width * (group.size + 1));
  return shared === undefined ? new ByMessages(group, slices) : new ByMemory(group, slices, shared);
}

/** Each process reads the memory of the others: nothing is copied. */
class ByMemory implements Transport {
  readonly values: Float32Array;
  readonly #group: Collectives;
  readonly #shared: SharedRooms;
  /** Views of the slices that each process has for this process, by turn and rank. */
  readonly #for: readonly (readonly Float32Array[])[];
  /** Slices that each process spreads, by turn and rank. They follow its values, which others may still read. */
  readonly #of: readonly (readonly Float32Array[])[];

  constructor(group: Collectives, { turns, width }: Slices, shared: SharedRooms) {
    [this.#group, this.#shared] = [group, shared];
    const { rank, size } = group;
    const { rooms } = shared;
    const length = turns * size * width;
    this.values = rooms[rank]!.subarray(0, length);
    const each = (at: (turn: number) => number): Float32Array[][] =>
      Array.from({ length: turns }, (_, turn) => rooms.map((room) => room.subarray(at(turn), at(turn) + width)));
    this.#for = each((turn) => (turn * size + rank) * width);
    this.#of = each((turn) => length + turn * width);
  }

  collect(take: (turn: number, slices: readonly Float32Array[]) => void): void {
    this.#for.forEach((slices, turn) => take(turn, slices));
  }

  spread(fill: (turn: number, slice: Float32Array) => void, take: Take): void {
    const { rank } = this.#group;
    this.#of.forEach((slices, turn) => fill(turn, slices[rank]!));
    this.#group.barrier();
    this.#of.forEach((slices, turn) =>
      slices.forEach((slice, other) => {
        if (other !== rank) take(turn, other, slice);
      }),
    );
  }

  dispose(): void {
    this.#shared.release();
  }
}

class ByMessages implements Transport {
  readonly values: Float32Array;
  readonly #group: Collectives;
  readonly #turns: number;
  readonly #width: number;
  /** Received slices [turns, processes, width]: in `collect` values for this process, in `spread` slices of the others. */
  readonly #got: Float32Array;
  /** Slices that this process spreads, [turns, width]. */
  readonly #own: Float32Array;

  constructor(group: Collectives, { turns, width }: Slices) {
    [this.#group, this.#turns, this.#width] = [group, turns, width];
    this.values = new Float32Array(turns * group.size * width);
    this.#got = new Float32Array(this.values.length);
    this.#own = new Float32Array(turns * width);
  }

  collect(take: (turn: number, slices: readonly Float32Array[]) => void): void {
    const begin = (turn: number): PendingCall =>
      this.#group.beginAlltoall(this.#turn(this.values, turn), this.#gotIn(turn));
    const arriving: PendingCall[] = [];
    for (let turn = 0; turn < this.#turns; turn++) {
      while (arriving.length < Math.min(turn + AHEAD, this.#turns)) arriving.push(begin(arriving.length));
      arriving[turn]!.wait();
      take(turn, this.#slicesIn(turn));
    }
  }

  spread(fill: (turn: number, slice: Float32Array) => void, take: Take): void {
    const { rank } = this.#group;
    const arriving = Array.from({ length: this.#turns }, (_, turn) => {
      const ownTurn = this.#own.subarray(turn * this.#width, (turn + 1) * this.#width);
      fill(turn, ownTurn);
      return this.#group.beginAllgather(ownTurn, this.#gotIn(turn));
    });
    for (const [turn, begun] of arriving.entries()) {
      begun.wait();
      this.#slicesIn(turn).forEach((slice, other) => {
        if (other !== rank) take(turn, other, slice);
      });
    }
  }

  dispose(): void {
    // Garbage collection frees the memory.
  }

  #turn(array: Float32Array, turn: number): Float32Array {
    const length = this.#group.size * this.#width;
    return array.subarray(turn * length, (turn + 1) * length);
  }

  #gotIn(turn: number): Float32Array {
    return this.#turn(this.#got, turn);
  }

  #slicesIn(turn: number): Float32Array[] {
    const gathered = this.#gotIn(turn);
    return Array.from({ length: this.#group.size }, (_, other) =>
      gathered.subarray(other * this.#width, (other + 1) * this.#width),
    );
  }
}
