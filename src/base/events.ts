import type { ProposedChange } from './errors.ts';

/** Event of a running run. Times are in seconds, scores are the task's. */
export type RunEvent =
  | RunBegun
  | StageEvent
  | ProgressEvent
  | EpochEvent
  | DoneEvent
  | (OfStage & { readonly type: 'saved'; readonly file: string })
  | { readonly type: 'message'; readonly message: string; readonly forecast?: Forecast }
  | WarningEvent;

/** Time that a run takes from the end of the reading of its data to its first export, its memory and disk; of a resumed run, the time that is left. */
/** Memory of the steps of a training, and the setting by which they compute fewer samples at once. */
export interface StepMemory {
  readonly stage: string;
  readonly bytes: number;
  readonly samples: number;
  readonly setting: 'microBatch' | 'batchSize';
}

export interface Forecast {
  /** Runs that take as much as this one, itself included: the trials of a sweep. */
  readonly runs: number;
  /** Seconds of trainings and answers before this start, which the seconds below leave out. */
  readonly takenSeconds: number;
  /** Seconds of the teacher's answers that are stored. */
  readonly answerSeconds: number;
  readonly trainings: number;
  readonly trainingSeconds: number;
  /** Bytes of a process at the highest. */
  readonly memoryBytes: number;
  /** Bytes that are free without this process. */
  readonly freeBytes?: number;
  /** Steps of the training that takes most of it. */
  readonly step?: StepMemory;
  /** Processes that need this memory. */
  readonly processes: number;
  /** Bytes in the folder of the run at its end. */
  readonly diskBytes: number;
}

interface WarningEvent {
  readonly type: 'warning';
  readonly message: string;
  /** Changes of the recipe that the warning asks for. */
  readonly changes?: readonly ProposedChange[];
}

/** The figure that a task is judged by, of which `src/tasks/score.ts` makes texts. */
export interface ScoreData {
  readonly name: string;
  /** `fraction`: from 0 to 1, more is better; `label`: an error in the units of the label; `nats`: a logarithm, less is better. */
  readonly unit: 'fraction' | 'label' | 'nats';
  /** True if it is the share of samples with a right answer, which is said without the name of the score. */
  readonly isShareRight?: true;
  /** Lowest and highest value of a chart's axis; default: the range of the unit. */
  readonly bounds?: readonly [number, number];
}

export interface OfTask {
  /** Task of the scores; absent for classification. */
  readonly task?: string;
  /** Score that the recipe chooses, as `dataset.score` has it; absent without a choice. */
  readonly metric?: string;
}

interface RunBegun extends OfTask {
  readonly type: 'run';
  readonly name: string;
  readonly folder: string;
  readonly resumed: boolean;
  /** Score of the run; absent for accuracy. */
  readonly score?: ScoreData;
}

interface OfStage extends OfTask {
  /** Name of the stage in the ledger. */
  readonly stage: string;
  /** Folder name of the search trial that the stage belongs to. */
  readonly trial?: string;
}

export interface StageEvent extends OfStage {
  readonly type: 'stage';
  /** Title for people; absent for a short stage, whose `done` event suffices. */
  readonly title?: string;
  readonly resumedAt?: string;
  /** First step of the training: 0 unless resumed. */
  readonly step?: number;
}

export interface DoneEvent extends OfStage {
  readonly type: 'done';
  readonly figures: StageFigures;
  readonly seconds: number;
  /** Share of a training's time that steps waited for samples. */
  readonly dataWait?: number;
  /** Traffic to and from the device, if it has memory of its own. */
  readonly traffic?: Traffic;
}

/** Progress, several times a second at most. */
export interface ProgressEvent extends OfStage {
  readonly type: 'progress';
  /** Name of the counted work, such as `calibrating`, in a stage with several kinds. */
  readonly what?: string;
  /** Completed units of work, and all: training steps, or batches of the teacher. */
  readonly done: number;
  readonly total: number;
  /** Completed epochs, with fraction; absent in a stage without epochs. */
  readonly epoch?: number;
  readonly epochs?: number;
  readonly loss?: number;
  readonly score?: number | undefined;
  readonly samplesPerSecond?: number;
  /** Seconds per unit of work since the last progress event. */
  readonly secondsPerStep?: number;
  readonly secondsLeft: number;
}

export interface EpochEvent extends OfStage {
  readonly type: 'epoch';
  readonly epoch: number;
  readonly epochs: number;
  /** Completed training steps. */
  readonly step: number;
  readonly loss: number;
  /** Score on the training batches, before each update; undefined for a task without a running score. */
  readonly score?: number | undefined;
  readonly validation?: number;
  readonly seconds: number;
  /** Part of `seconds` that the score on the validation split takes. */
  readonly validationSeconds?: number;
  /** True for a training that runs beside the one whose stage was announced. */
  readonly isBeside?: boolean;
}

export type OnEvent = (event: RunEvent) => void;

/** Figures of a model after a stage; sizes in bytes. */
export interface StageFigures {
  readonly score?: { readonly validation?: number; readonly test?: number };
  readonly params?: number;
  readonly macs?: number;
  readonly sizeBytes?: number;
  readonly file?: string;
}

/** Traffic between this process' memory and the device so far. */
export interface Traffic {
  /** Number of calls of compiled steps. */
  readonly calls: number;
  /** Number of copies of a state, in either direction. */
  readonly stateMoves: number;
  readonly stateBytes: number;
  /** Bytes of feeds and results. */
  readonly dataBytes: number;
}
