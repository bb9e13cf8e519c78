/** An event of a run at work. Times are seconds, scores those of the task. */
export type RunEvent =
  | RunBegun
  | StageEvent
  | ProgressEvent
  | EpochEvent
  | DoneEvent
  | (OfStage & { readonly type: 'saved'; readonly file: string })
  | { readonly type: 'message'; readonly message: string }
  | { readonly type: 'warning'; readonly message: string };

interface OfTask {
  /** The task that scores are of; absent of classification. */
  readonly task?: string;
}

interface RunBegun extends OfTask {
  readonly type: 'run';
  readonly name: string;
  readonly folder: string;
  readonly resumed: boolean;
}

interface OfStage extends OfTask {
  /** As the ledger names it. */
  readonly stage: string;
  /** Candidate and round of a search that the stage belongs to, by the name of its folder. */
  readonly trial?: string;
}

export interface StageEvent extends OfStage {
  readonly type: 'stage';
  /** Title for people; absent for a stage that takes a moment, whose `done` event is enough. */
  readonly title?: string;
  readonly resumedAt?: string;
  /** First step of the training: 0 unless it was resumed. */
  readonly step?: number;
}

export interface DoneEvent extends OfStage {
  readonly type: 'done';
  readonly figures: StageFigures;
  readonly seconds: number;
  /** Share of a training's time that steps waited for their data. */
  readonly dataWait?: number;
  /** Traffic to and from the device, if it has memory of its own. */
  readonly traffic?: Traffic;
}

/** Several times a second at most. */
export interface ProgressEvent extends OfStage {
  readonly type: 'progress';
  /** Name of the work that is counted, e.g. `calibrating`, in a stage that does several things. */
  readonly what?: string;
  /** Units of work done and in all: training steps, or batches of the teacher. */
  readonly done: number;
  readonly total: number;
  /** Epochs done, with fraction; absent where the stage has none. */
  readonly epoch?: number;
  readonly epochs?: number;
  readonly loss?: number;
  readonly score?: number;
  readonly samplesPerSecond?: number;
  /** Seconds for a unit of work, since the last event of progress. */
  readonly secondsPerStep?: number;
  readonly secondsLeft: number;
}

export interface EpochEvent extends OfStage {
  readonly type: 'epoch';
  readonly epoch: number;
  readonly epochs: number;
  /** Training steps done. */
  readonly step: number;
  readonly loss: number;
  /** On the training batches as they came, before each update. */
  readonly score: number;
  readonly validation?: number;
  readonly seconds: number;
  /** True of a training that goes on at the same time as the one whose stage was told. */
  readonly isBeside?: boolean;
}

export type OnEvent = (event: RunEvent) => void;

/** Figures of a model after a stage; sizes are in bytes. */
export interface StageFigures {
  readonly score?: { readonly validation?: number; readonly test?: number };
  readonly params?: number;
  readonly macs?: number;
  readonly sizeBytes?: number;
  readonly file?: string;
}

/** Traffic between this process' memory and the device so far. */
export interface Traffic {
  /** Calls of compiled steps. */
  readonly calls: number;
  /** Moves of a state, in either direction. */
  readonly stateMoves: number;
  readonly stateBytes: number;
  /** Bytes of feeds and results. */
  readonly dataBytes: number;
}
