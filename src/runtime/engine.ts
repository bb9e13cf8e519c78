import type { Traffic } from '../base/events.ts';
import type { Graph, TensorData, TensorType } from '../graph/types.ts';
import type { StepProgram } from '../trace/program.ts';

export interface StateTensor {
  readonly type: TensorType;
  readonly data: TensorData;
}

/** The content of a step's variables by state name. */
export type State = ReadonlyMap<string, StateTensor>;

/** Elements of a tensor in a row, from `from` up to but without `to`. */
export interface ElementRange {
  readonly from: number;
  readonly to: number;
}

/** A feed of which each element is read by the update of the same element of some variables, and by nothing else. */
export interface DivisibleFeed {
  /** Memory that the update reads it from. */
  readonly data: Float32Array;
  /** The variables that the update writes: where their content lies from call to call, and whether other parts of the call read it. */
  readonly variables: ReadonlyMap<string, { readonly data: Float32Array; readonly isRead: boolean }>;
}

/** Number that the ends of a range are a multiple of, but for the end of the tensor: elements of a cache line. */
export const RANGE_STEP = 16;

export interface CompileOptions {
  /** Use the variables of this step too: a training step of another batch size, or an evaluation of the same weights. */
  readonly shareStateWith?: CompiledStep;
  /** Key of the random feeds (dropout masks): the stream for a call is [...randomKey, call's `step`, feed name]. */
  readonly randomKey?: readonly (string | number)[];
  /** Numbers of each random feed that belong to one sample, for calls that have a part of a batch. Default 0. */
  readonly randomsPerSample?: ReadonlyMap<string, number>;
  /** `mixed`: matrix products and convolutions in float16, the rest and the state in float32. Default `full`. */
  readonly precision?: 'full' | 'mixed' | undefined;
}

export interface CompiledStep {
  readonly inputs: ReadonlyMap<string, TensorType>;
  readonly outputs: ReadonlyMap<string, TensorType>;
  /**
   * About what a call takes of this process' memory at its highest, in bytes, estimated from the graph before the first. Absent where
   * that is another device's, or nobody counts.
   */
  readonly memoryBytes?: number | undefined;
  /**
   * One call: feeds in, named results out, state advanced. The results are valid until the next call.
   * `step` numbers the call for random feeds; a program without random feeds ignores it. `first`: where in its batch the first
   * sample is, for a call that has a part of one.
   */
  run(
    feeds: Readonly<Record<string, TensorData>>,
    step?: number,
    first?: number,
  ): Promise<Readonly<Record<string, TensorData>>>;
  /**
   * Several calls in a row as one, so that the state goes to the device and back once: the same results, call by call.
   * `step` numbers the first. Absent where there is nothing to gain.
   */
  runs?(
    feeds: readonly Readonly<Record<string, TensorData>>[],
    step?: number,
  ): Promise<readonly Readonly<Record<string, TensorData>>[]>;
  /** Feeds whose updates several processes can divide among them. Absent where an engine has none. */
  readonly divisible?: ReadonlyMap<string, DivisibleFeed> | undefined;
  /**
   * Limits all calls from now on to these elements of divisible feeds and of the variables that follow from them. Such a feed is not fed any
   * more: its elements are put into its memory.
   */
  divide?(ranges: ReadonlyMap<string, readonly ElementRange[]>): void;
  /** Memory that calls write these results into from now on, where an engine can choose it. */
  placeResults?(places: Readonly<Record<string, Float32Array>>): void;
  /** Names of the variables that calls read or write. Absent where an engine does not say. */
  readonly variables?: ReadonlySet<string>;
  /** A copy of the variables' current content. */
  state(): Promise<State>;
  /** Replaces the content of the variables named; others keep theirs. Unknown names and wrong types are errors. */
  load(state: State): Promise<void>;
  dispose(): Promise<void>;
}

export interface Engine {
  readonly name: 'onnxruntime' | 'tensorflow';
  /** Device that it computes on, e.g. `cpu`, `webgpu`, `cuda`. */
  readonly device: string;
  /** Number of steps that a training hands over at once; absent: one. */
  readonly stepsPerCall?: number;
  /** Absent where it computes in this process' memory, or does not count. */
  readonly traffic?: Traffic | undefined;
  /** Initial state is the variables' content at the time of the call. */
  compile(program: StepProgram, options?: CompileOptions): Promise<CompiledStep>;
  /** The pieces that `cut` makes of the graph of a program; all share one state. Absent where an engine has no graphs. */
  compilePieces?(
    program: StepProgram,
    cut: (graph: Graph) => readonly Graph[],
    options?: CompileOptions,
  ): Promise<readonly CompiledStep[]>;
}
