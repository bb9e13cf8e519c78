import type { Traffic } from '../base/events.ts';
import type { Graph, TensorData, TensorType } from '../graph/types.ts';
import type { EngineName } from '../recipe/engines.ts';
import type { StepProgram } from '../trace/program.ts';

export interface StateTensor {
  readonly type: TensorType;
  readonly data: TensorData;
}

/** Content of a step's variables by state name. */
export type State = ReadonlyMap<string, StateTensor>;

export interface CompileOptions {
  /** Share the variables of this step: a training step of another batch size, or an evaluation of the same weights. */
  readonly shareStateWith?: CompiledStep;
  /** Key of the random feeds (dropout masks): the stream of a call is [...randomKey, call's `step`, feed name]. */
  readonly randomKey?: readonly (string | number)[];
  /** Elements of each random feed that belong to a sample, for calls on a part of a batch. Default 0. */
  readonly randomsPerSample?: ReadonlyMap<string, number>;
  /** `mixed`: matrix products and convolutions in float16, all else and the state in float32. Default `full`. */
  readonly precision?: 'full' | 'mixed' | undefined;
}

export interface CompiledStep {
  readonly inputs: ReadonlyMap<string, TensorType>;
  readonly outputs: ReadonlyMap<string, TensorType>;
  /**
   * Estimated peak bytes of a call in this process' memory, before the first call. Absent if memory belongs to another device, or the engine gives no
   * estimate.
   */
  readonly memoryBytes?: number | undefined;
  /**
   * One call: takes feeds, returns named results, and advances the state. Results are valid until the next call. `step`: number of the call for
   * random feeds, ignored by programs without any. `first`: index in its batch of the first sample, for a call on a part.
   */
  run(
    feeds: Readonly<Record<string, TensorData>>,
    step?: number,
    first?: number,
  ): Promise<Readonly<Record<string, TensorData>>>;
  /**
   * Several calls at once, so that the state is copied to the device and back once: the same results, call by call. `step`: number of the first.
   * Absent if it would gain nothing.
   */
  runs?(
    feeds: readonly Readonly<Record<string, TensorData>>[],
    step?: number,
  ): Promise<readonly Readonly<Record<string, TensorData>>[]>;
  /** A copy of the variables' current content. */
  state(): Promise<State>;
  /** Replaces the content of the named variables; others keep theirs. Throws for unknown names and wrong types. */
  load(state: State): Promise<void>;
  dispose(): Promise<void>;
}

export interface Engine {
  readonly name: EngineName;
  /** Device of the computation, such as `cpu`, `webgpu`, `cuda`. */
  readonly device: string;
  /** Number of steps that a training passes to `runs` at once; absent: one. */
  readonly stepsPerCall?: number;
  /** Absent if it computes in this process' memory, or does not count. */
  readonly traffic?: Traffic | undefined;
  /** Compiles a program. Its initial state is the variables' present content. */
  compile(program: StepProgram, options?: CompileOptions): Promise<CompiledStep>;
  /** Compiles the pieces into which `cut` divides a program's graph; all share one state. Absent for an engine without graphs. */
  compilePieces?(
    program: StepProgram,
    cut: (graph: Graph) => readonly Graph[],
    options?: CompileOptions,
  ): Promise<readonly CompiledStep[]>;
}
