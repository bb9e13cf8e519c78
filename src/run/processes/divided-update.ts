import type { Collectives } from './collectives.ts';
import { divisibleStep, RANGE_STEP } from '../../runtime/divisible-step.ts';
import type { DivisibleFeed, ElementRange } from '../../runtime/divisible-step.ts';
import type { CompiledStep } from '../../runtime/engine.ts';
import { addInPairs } from './add-in-pairs.ts';
import { isGradient } from '../../train/step/gradient.ts';
import { Slices } from '../../train/parallel/slices.ts';
import type { ResultRange } from '../../train/parallel/slices.ts';
import type { StepValues } from '../../train/step/steps.ts';
import { transportOf } from './transport.ts';
import type { Transport } from './transport.ts';

export interface DividedUpdateOptions {
  /** Program of the update; the constructor limits it to the share of this process. */
  readonly update: CompiledStep;
  /** Variables that the programs of the gradients read. */
  readonly read: ReadonlySet<string>;
  readonly group: Collectives;
  /** Minimum number of weights for which the update is divided. Default: 1 MiB of float32. */
  readonly least?: number | undefined;
  /** Maximum elements of a slice. Default: 1 MiB of float32. */
  readonly most?: number | undefined;
}

/** Below this number, updating all weights takes less time than exchanging updated weights. */
const LEAST = 2 ** 18;
const MOST = 2 ** 18;

type Arrays = ReadonlyMap<string, Float32Array>;

/**
 * An update that processes divide (Rajbhandari et al. 2020, "ZeRO", stage 1): each process gets its slices of all gradients, adds them in pairs in
 * the order of the ranks, updates its slices of the variables, and sends the weights to the others. Variables that only the update reads, such as the
 * optimizer's slots, stay in their process until `settle`. Only elementwise updates are divided, whose gradient nothing else reads, so the bits equal
 * those of a single process.
 */
export class DividedUpdate {
  /** Memory in which this process adds up its gradients, by the name of the result. */
  readonly home: StepValues;
  readonly #group: Collectives;
  readonly #transport: Transport;
  /** Ranges of the slices, by turn and rank. */
  readonly #parts: readonly (readonly (readonly ResultRange[])[])[];
  readonly #gradients: Arrays;
  /** Variables that steps read, and variables that they do not read, in the order of the gradients. */
  readonly #read: readonly Arrays[];
  readonly #unread: readonly Arrays[];

  private constructor(
    feeds: ReadonlyMap<string, DivisibleFeed>,
    { update, read, group, most = MOST }: DividedUpdateOptions,
  ) {
    const { rank, size } = group;
    this.#group = group;
    const lengths = [...feeds].map(([name, { data }]) => [name, { shape: [data.length] }] as const);
    const slices = new Slices(new Map(lengths), { count: size, most, multipleOf: RANGE_STEP, startsAt: RANGE_STEP });
    const { turns, width } = slices;
    this.#transport = transportOf(group, slices);
    this.home = slices.read(this.#transport.values);
    this.#parts = Array.from({ length: turns }, (_, turn) =>
      Array.from({ length: size }, (__, of) => slices.parts((turn * size + of) * width, width)),
    );
    this.#gradients = new Map([...feeds].map(([name, { data }]) => [name, data]));
    this.#read = layersOf(feeds, (name, isRead) => isRead || read.has(name));
    if (this.#read.length === 0) throw new Error('no program reads what a divided update writes');
    this.#unread = layersOf(feeds, (name, isRead) => !isRead && !read.has(name));
    const ranges = new Map<string, ElementRange[]>([...feeds.keys()].map((name) => [name, []]));
    for (const turn of this.#parts) for (const { name, ...range } of turn[rank]!) ranges.get(name)!.push(range);
    divisibleStep(update)!.divide(ranges);
  }

  /** Undefined if the update cannot be divided or has too few weights. */
  static of(options: DividedUpdateOptions): DividedUpdate | undefined {
    const { update, least = LEAST } = options;
    const feeds = [...(divisibleStep(update)?.divisible ?? [])].filter(([name]) => isGradient(name));
    const weights = feeds.reduce((sum, [, { data }]) => sum + data.length, 0);
    // A process whose memory did not suffice for a fused update has nothing to divide; then no process divides.
    const wants = weights > 0 && weights >= least ? 1 : 0;
    const isWanted = options.group.allreduce(Float32Array.of(wants))[0]! === options.group.size;
    return isWanted ? new DividedUpdate(new Map(feeds), options) : undefined;
  }

  /** Adds up this process' share over the first `count` ranks, after all processes have written their gradients. */
  sum(count: number): void {
    const { rank } = this.#group;
    this.#transport.collect((turn, slices) => {
      for (const { name, from, to, at } of this.#parts[turn]![rank]!) {
        const addends = slices.slice(0, count).map((slice) => slice.subarray(at, at + to - from));
        addInPairs(addends, this.#gradients.get(name)!.subarray(from, to));
      }
    });
  }

  /** Sends the updated weights to all processes, which must all call it after the update. */
  spread(): void {
    for (const [i, arrays] of this.#read.entries()) {
      // Wait until all processes have read the previous layer.
      if (i > 0) this.#group.barrier();
      this.#spread(arrays);
    }
  }

  /** Sends the remaining updated variables to all processes, which must all call it. */
  settle(): void {
    for (const arrays of this.#unread) {
      this.#group.barrier();
      this.#spread(arrays);
    }
  }

  dispose(): void {
    this.#transport.dispose();
  }

  #spread(arrays: Arrays): void {
    const { rank } = this.#group;
    this.#transport.spread(
      (turn, slice) => {
        for (const { name, from, to, at } of this.#parts[turn]![rank]!) {
          const values = arrays.get(name);
          if (values !== undefined) slice.set(values.subarray(from, to), at);
        }
      },
      (turn, other, slice) => {
        for (const { name, from, to, at } of this.#parts[turn]![other]!)
          arrays.get(name)?.set(slice.subarray(at, at + to - from), from);
      },
    );
  }
}

/** The first wanted variable of each feed, then the second of each, and so on. */
function layersOf(
  feeds: ReadonlyMap<string, DivisibleFeed>,
  isWanted: (name: string, isRead: boolean) => boolean,
): Arrays[] {
  const layers: Map<string, Float32Array>[] = [];
  for (const [feed, { variables }] of feeds) {
    const wanted = [...variables].filter(([name, { isRead }]) => isWanted(name, isRead));
    for (const [i, [, { data }]] of wanted.entries()) (layers[i] ??= new Map()).set(feed, data);
  }
  return layers;
}
