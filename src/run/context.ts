import type { StepMemory } from '../base/events.ts';
import type { SoftTargets, StoreOptions } from '../distill/answers/soft-targets.ts';
import type { Safetensors } from '../formats/safetensors.ts';
import type { ShipContext } from '../ship/context.ts';
import type { Processes } from '../train/processes.ts';
import type { StageStates } from '../train/saved-training.ts';

/** Work that a forecast is of. */
export interface Foretold extends LikeRuns {
  /** Finished stages, and seconds that each stage has taken so far. */
  readonly finished: readonly string[];
  readonly taken: ReadonlyMap<string, number>;
  /** Time of the monotonic clock at which the run began to open its data. */
  readonly since: number;
  /** Answers that the forecast asked the teacher for, with which the stored answers begin. */
  answered?: Safetensors;
}

/** Runs that follow each other, as if they were the run that stands for them. */
export interface LikeRuns {
  /** Trials of a sweep; for a shard of a run its share of the repeats. */
  readonly runs: number;
  /** Runs among them that do not find their teacher and its answers in another. */
  readonly teachers: number;
}

/** Cost of a training by some of its steps, which are thrown away. */
export interface TrainingCost {
  /** Seconds until steps follow each other: steps are compiled, and samples begin to be read. */
  readonly startSeconds: number;
  readonly secondsPerStep: number;
  /** Processor seconds of a step, over all threads. */
  readonly processorPerStep: number;
  /** Seconds of the end of an epoch: a validation, and a copy of the weights. */
  readonly validationSeconds: number;
  /** Bytes of a saved state. */
  readonly savedBytes: number;
  /** Bytes of the step for the smaller last batch of an epoch, which a rehearsal does not compile. */
  readonly restBytes: number;
  readonly step: StepMemory;
  readonly params: number;
}

/** Training in a forecast. */
interface RehearsedTraining {
  readonly steps: number;
  readonly epochs: number;
  /** Text of what the cost of a step depends on. */
  readonly kind: string;
}

/**
 * In a forecast the stages are followed with this in their context: of each training and of the teacher's answers a part is made, timed and thrown
 * away.
 */
interface Rehearsal {
  /** Samples of the validation split, of which the context has some. */
  readonly validation: number;
  /** The trainings that follow are made for each teacher or each run, `times` times, `lanes` at once. */
  readonly enter: (each: 'teacher' | 'run', times?: number, lanes?: number) => void;
  /** Enters a training, which `rehearse` times unless an equal one was timed. */
  readonly training: (training: RehearsedTraining, rehearse: () => Promise<TrainingCost>) => Promise<void>;
  /** Enters a training like the last, of `epochs` epochs. */
  readonly again: (epochs: number) => void;
  /** Enters answers that are stored beforehand, asked for `atOnce` at once; returns some of them in place of all. */
  readonly answers: (options: StoreOptions, atOnce: number) => Promise<SoftTargets>;
}

/** Context of a stage. Stages know neither paths nor the stage that follows. */
export interface StageContext extends ShipContext {
  readonly processes: Processes;
  readonly signal?: AbortSignal | undefined;
  /** Maximum milliseconds between two saved states, which a kill may lose. */
  readonly saveEveryMs: number;
  /** Saved states of a stage, by the name of the stage. */
  readonly states: (stage: string) => StageStates;
  /** True if another process of this run has already checked the teacher's answers. */
  readonly isChecked?: boolean;
  /** The run prints a forecast before its first step if this is present. */
  readonly foretold?: Foretold | undefined;
  readonly rehearsal?: Rehearsal | undefined;
}

/** What a training uses of the context. */
export type FitContext = Omit<StageContext, 'written' | 'isChecked' | 'foretold'>;
