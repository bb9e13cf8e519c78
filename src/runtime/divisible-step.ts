import type { CompiledStep } from './engine.ts';

/** Elements of a tensor from `from` (inclusive) to `to` (exclusive). */
export interface ElementRange {
  readonly from: number;
  readonly to: number;
}

/** A feed that is read only by elementwise updates of some variables. */
export interface DivisibleFeed {
  /** Memory from which the update reads it. */
  readonly data: Float32Array;
  /** Variables that the update writes: their fixed memory, and whether other parts of the call read them. */
  readonly variables: ReadonlyMap<string, { readonly data: Float32Array; readonly isRead: boolean }>;
}

/** Ends of a range are multiples of this number, a cache line, except at the end of the tensor. */
export const RANGE_STEP = 16;

/** A step whose memory others may read and write between calls, and whose update several processes can divide. */
export interface DivisibleStep extends CompiledStep {
  /** Feeds whose updates can be divided; undefined if the step has none. */
  readonly divisible: ReadonlyMap<string, DivisibleFeed> | undefined;
  /** Limits all later calls to these elements of divisible feeds and of their variables. Such a feed is then written to its memory instead of fed. */
  divide(ranges: ReadonlyMap<string, readonly ElementRange[]>): void;
  /** Sets the memory that later calls write these results to, if the device has it. */
  placeResults(places: Readonly<Record<string, Float32Array>>): void;
  /** Names of variables that calls read or write. */
  readonly variables: ReadonlySet<string>;
}

/** The step, if its engine makes divisible ones. */
export function divisibleStep(step: CompiledStep): DivisibleStep | undefined {
  return 'divide' in step ? (step as DivisibleStep) : undefined;
}
