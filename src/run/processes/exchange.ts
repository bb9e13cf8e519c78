import type { TensorType } from '../../graph/types.ts';
import type { PendingCall, Collectives } from './collectives.ts';
import { PartSum } from '../../train/parallel/part-sum.ts';
import { Slices } from '../../train/parallel/slices.ts';
import type { StepValues } from '../../train/step/steps.ts';

export interface ExchangeOptions {
  readonly outputs: ReadonlyMap<string, TensorType>;
  readonly group: Collectives;
  /** Maximum elements of a slice. Default: 1 MiB of float32. */
  readonly most?: number;
}

const MOST = 2 ** 18;
/** Number of turns that are in transit while one is added up. */
const AHEAD = 4;

/**
 * Sums arrays of several processes in float32, in pairs, in the order of the ranks: bit for bit the sum of one process. Works in turns: each process
 * receives its slice of the turn from all, adds up and sends the sum to all, while the next turns are in transit. So each process sends two arrays of
 * the size of its results, whatever the number of parts.
 */
export class Exchange {
  readonly #group: Collectives;
  readonly #slices: Slices;
  /** One of each turn, so that its memory is used again. */
  readonly #sums: readonly PartSum[];
  /** Values of this process, received values, its sums, and the sums of all processes. */
  readonly #values: Rooms;

  constructor({ outputs, group, most = MOST }: ExchangeOptions) {
    const { size } = group;
    this.#group = group;
    this.#slices = new Slices(outputs, { count: size, most });
    const { turns, width } = this.#slices;
    this.#sums = Array.from({ length: turns }, () => new PartSum('in pairs'));
    this.#values = roomsOf(turns, size, width);
  }

  /**
   * `own`: values of this process, undefined if it has none. `count`: number of processes with values, which have the first ranks. The sum is valid
   * until the next call.
   */
  sum(own: StepValues | undefined, count: number): StepValues {
    const { turns } = this.#slices;
    // All processes have finished computing before the exchange, so it never waits long.
    this.#group.barrier();
    const arriving: PendingCall[] = [];
    const leaving: PendingCall[] = [];
    for (let turn = 0; turn < Math.min(AHEAD, turns); turn++) arriving.push(this.#send(own, turn));
    for (let turn = 0; turn < turns; turn++) {
      arriving[turn]!.wait();
      leaving.push(this.#addUp(turn, count));
      if (turn + AHEAD < turns) arriving.push(this.#send(own, turn + AHEAD));
    }
    for (const begun of leaving) begun.wait();
    return this.#slices.read(this.#values.whole);
  }

  #send(own: StepValues | undefined, turn: number): PendingCall {
    const { turns, width } = this.#slices;
    const values = at(this.#values.own, turn, turns);
    if (own !== undefined) this.#slices.write(own, values, turn * this.#group.size * width);
    return this.#group.beginAlltoall(values, at(this.#values.got, turn, turns));
  }

  #addUp(turn: number, count: number): PendingCall {
    const { turns, width } = this.#slices;
    const { size, rank } = this.#group;
    const got = at(this.#values.got, turn, turns);
    const start = (turn * size + rank) * width;
    const sum = this.#sums[turn]!;
    sum.clear();
    for (let from = 0; from < count; from++) sum.add(this.#slices.read(at(got, from, size), start));
    const summed = at(this.#values.summed, turn, turns);
    this.#slices.write(sum.values, summed, start);
    return this.#group.beginAllgather(summed, at(this.#values.whole, turn, turns));
  }
}

interface Rooms {
  readonly own: Float32Array;
  readonly got: Float32Array;
  readonly summed: Float32Array;
  readonly whole: Float32Array;
}

function roomsOf(turns: number, size: number, width: number): Rooms {
  const room = (slices: number): Float32Array => new Float32Array(turns * slices * width);
  return { own: room(size), got: room(size), summed: room(1), whole: room(size) };
}

/** Part `index` of `count` equal parts of an array. */
function at(array: Float32Array, index: number, count: number): Float32Array {
  const length = array.length / count;
  return array.subarray(index * length, (index + 1) * length);
}
