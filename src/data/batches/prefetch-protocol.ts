import type { Batch, BatchOptions } from './batches.ts';
import type { Dataset } from '../dataset.ts';

/** Data that a prefetch worker starts with. */
export interface WorkerSetup {
  readonly dataset: Dataset;
  /** This worker makes batches first, first + step, first + 2·step, … after the start. */
  readonly first: number;
  readonly step: number;
  /** Batches that may be made ahead of the reader. */
  readonly ahead: number;
  readonly control: Int32Array;
}

/** Cells of `control`, which reader and worker share. */
export const CONTROL = {
  /** Number of the job that is wanted; 0: none. A worker drops a job as soon as another number stands here. */
  job: 0,
  /** Batches of this job that the reader has taken from this worker. */
  taken: 1,
  /** Counter that rises with every change of the others; a waiting worker sleeps on it. */
  changes: 2,
} as const;

export interface PrefetchJob {
  readonly job: number;
  readonly options: BatchOptions;
  /** Memory of the samples of a batch, as many as may be ahead, which batches take in turns. Reader and worker share it. */
  readonly slots: readonly Float32Array[];
}

/** A batch whose samples are left in a slot. */
export type LeftBatch = Omit<Batch, 'x'> & { readonly x?: undefined };

export interface WorkerError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** The remedy, if it was a `UserError`. */
  readonly hint: string | undefined;
}

export type FromPrefetcher =
  { readonly job: number; readonly batch: LeftBatch } | { readonly job: number; readonly error: WorkerError };
