import type { TensorType } from '../../graph/types.ts';
import type { PendingCall, Collectives } from '../../runtime/collectives/collectives.ts';
import { PartSum } from './part-sum.ts';
import type { Rounding } from './part-sum.ts';
import { Slices } from './slices.ts';
import type { StepValues } from '../step/steps.ts';

/** Encoding of values between processes, if not float32. Packed values must unpack without a change. */
export interface Wire {
  /** Number of values that are packed together. */
  readonly block: number;
  /** Float32 elements that `values` values take, a multiple of `block`. */
  lengthOf(values: number): number;
  pack(values: Float32Array, into: Float32Array): void;
  unpack(packed: Float32Array, into: Float32Array): void;
}

export interface ExchangeOptions {
  readonly outputs: ReadonlyMap<string, TensorType>;
  readonly together: Collectives;
  readonly wire?: Wire | undefined;
  readonly rounding?: Rounding | undefined;
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
  readonly #together: Collectives;
  readonly #wire: Wire | undefined;
  readonly #slices: Slices;
  /** One of each turn, so that its memory is used again. */
  readonly #sums: readonly PartSum[];
  /** Values of this process, received values, its sums, and the sums of all processes; each also in encoded form. */
  readonly #values: Rooms;
  readonly #packed: Rooms;

  constructor({ outputs, together, wire, rounding, most = MOST }: ExchangeOptions) {
    const { size } = together;
    [this.#together, this.#wire] = [together, wire];
    this.#slices = new Slices(outputs, { count: size, most, multipleOf: wire?.block ?? 1 });
    const { turns, width } = this.#slices;
    this.#sums = Array.from({ length: turns }, () => new PartSum('in pairs', { rounding }));
    this.#values = roomsOf(turns, size, width);
    this.#packed = wire === undefined ? this.#values : roomsOf(turns, size, wire.lengthOf(width));
  }

  /**
   * `own`: values of this process, undefined if it has none. `count`: number of processes with values, which have the first ranks. The sum is valid
   * until the next call.
   */
  sum(own: StepValues | undefined, count: number): StepValues {
    const { turns } = this.#slices;
    // All processes have finished computing before the exchange, so it never waits long.
    this.#together.barrier();
    const arriving: PendingCall[] = [];
    const leaving: PendingCall[] = [];
    for (let turn = 0; turn < Math.min(AHEAD, turns); turn++) arriving.push(this.#send(own, turn));
    for (let turn = 0; turn < turns; turn++) {
      arriving[turn]!.wait();
      leaving.push(this.#addUp(turn, count));
      if (turn + AHEAD < turns) arriving.push(this.#send(own, turn + AHEAD));
    }
    for (const [turn, begun] of leaving.entries()) {
      begun.wait();
      this.#unpack(at(this.#packed.whole, turn, turns), at(this.#values.whole, turn, turns));
    }
    return this.#slices.read(this.#values.whole);
  }

  #send(own: StepValues | undefined, turn: number): PendingCall {
    const { turns, width } = this.#slices;
    const { size } = this.#together;
    const [values, packed] = [this.#values, this.#packed].map((rooms) => at(rooms.own, turn, turns)) as Pair;
    if (own !== undefined) {
      this.#slices.write(own, values, turn * size * width);
      for (let to = 0; to < size; to++) this.#wire?.pack(at(values, to, size), at(packed, to, size));
    }
    return this.#together.beginAlltoall(packed, at(this.#packed.got, turn, turns));
  }

  #addUp(turn: number, count: number): PendingCall {
    const { turns, width } = this.#slices;
    const { size, rank } = this.#together;
    const [got, packed] = [this.#values, this.#packed].map((rooms) => at(rooms.got, turn, turns)) as Pair;
    this.#unpack(packed, got);
    const start = (turn * size + rank) * width;
    const sum = this.#sums[turn]!;
    sum.clear();
    for (let from = 0; from < count; from++) sum.add(this.#slices.read(at(got, from, size), start));
    const [values, summed] = [this.#values, this.#packed].map((rooms) => at(rooms.summed, turn, turns)) as Pair;
    this.#slices.write(sum.values, values, start);
    this.#wire?.pack(values, summed);
    return this.#together.beginAllgather(summed, at(this.#packed.whole, turn, turns));
  }

  /** Decodes the slices of a turn; each was encoded on its own. */
  #unpack(packed: Float32Array, values: Float32Array): void {
    const { size } = this.#together;
    for (let from = 0; from < size; from++) this.#wire?.unpack(at(packed, from, size), at(values, from, size));
  }
}

type Pair = [Float32Array, Float32Array];

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
