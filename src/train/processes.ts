import type { DataOptions, LoadedDataset } from '../data/load.ts';
import type { TensorType } from '../graph/types.ts';
import { divisibleStep } from '../runtime/divisible-step.ts';
import type { CompiledStep } from '../runtime/engine.ts';
import { isGradient } from './step/gradient.ts';
import type { StepValues } from './step/steps.ts';
import { oneByOne } from './turns.ts';
import type { Turns } from './turns.ts';

export interface SumsOptions {
  /** Program of the update, whose variables all processes have. */
  readonly update: CompiledStep;
  /** Variables that the programs of the gradients read. */
  readonly read: ReadonlySet<string>;
  /** Results of the programs of the gradients. */
  readonly outputs: ReadonlyMap<string, TensorType>;
}

/** Sums over the parts of a batch, from which each step updates the variables. */
export interface StepSums {
  /** Memory in which this process adds up its gradients, by the name of the result. */
  readonly home: StepValues;
  /**
   * Sums over all parts; `own`: sums over those of this process. `count`: number of processes with parts, which have the first ranks. The sums are
   * valid until the next call.
   */
  over(own: StepValues, count: number): StepValues;
  /** Brings the variables that steps read up to date, after each update. */
  spread(): void;
  /** Brings all variables up to date. */
  settle(): void;
  dispose(): void;
}

/** Processes that share the parts of each batch of a training. All make the same calls in the same order. */
export interface Sharing {
  /** Number of this process, from 0. */
  readonly rank: number;
  /** Number of processes. */
  readonly size: number;
  /** Values of all processes in the order of their ranks, [size, length]. Valid until the next call. */
  allgather(own: Float32Array): Float32Array;
  /** For each wish, true if any process has it. */
  agreed<T extends readonly boolean[]>(wishes: readonly [...T]): T;
  sums(options: SumsOptions): StepSums;
}

/** The processes of a run, made once at its beginning. Each follows all stages. */
export interface Processes extends Turns, Sharing {
  /** `UserError` in every process unless all of them have the same text. */
  requireSame(what: string, text: () => string, remedy?: string): void;
  /** `UserError` in every process unless all of them have the same samples. */
  requireSameData(data: LoadedDataset): Promise<void>;
  /** Options for reading data in all of them. */
  loading(): Promise<Pick<DataOptions, 'processes' | 'readers'>>;
}

/** A process that does all work of a run. */
export const alone: Processes = {
  ...oneByOne,
  rank: 0,
  allgather: (own) => own,
  agreed: <T extends readonly boolean[]>(wishes: readonly [...T]) => wishes as T,
  sums: ({ update }) => ({
    home: homeIn(update),
    over: (own) => own,
    spread: () => undefined,
    settle: () => undefined,
    dispose: () => undefined,
  }),
  requireSame: () => undefined,
  requireSameData: () => Promise.resolve(),
  loading: () => Promise.resolve({}),
};

/** Memory that the update reads gradients from: gradients that are added up in it need not be copied. */
function homeIn(update: CompiledStep): StepValues {
  const step = divisibleStep(update);
  const feeds = [...(step?.divisible ?? [])].filter(([name]) => isGradient(name));
  step?.divide(new Map(feeds.map(([name, { data }]) => [name, [{ from: 0, to: data.length }]])));
  return Object.fromEntries(feeds.map(([name, { data }]) => [name, data]));
}
