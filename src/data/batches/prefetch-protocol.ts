import type { Batch, BatchOptions } from './batches.ts';
import type { Dataset } from '../dataset.ts';

/** Initial message to a prefetch worker. */
export interface WorkerSetup {
  readonly dataset: Dataset;
  /** This worker makes the batches first, first + step, first + 2·step, … after the start. */
  readonly first: number;
  readonly step: number;
  /** Maximum number of batches made ahead of the reader. */
  readonly ahead: number;
  readonly control: Int32Array;
}

/** Indexes of the shared array `control`. */
export const CONTROL = {
  /** Number of the current job; 0: none. A worker drops its job when the number changes. */
  job: 0,
  /** Number of this job's batches that the reader has taken from this worker. */
  taken: 1,
  /** Counter that rises with every change of the other cells; a waiting worker sleeps on it. */
  changes: 2,
} as const;

export interface PrefetchJob {
  readonly job: number;
  readonly options: BatchOptions;
  /** Shared memory for the samples of batches, one slot for each batch that may be ahead, used in turns. */
  readonly slots: readonly Float32Array[];
}

/** A batch whose samples are in a slot. */
export type LeftBatch = Omit<Batch, 'x'> & { readonly x?: undefined };

export interface WorkerError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Remedy of a `UserError`. */
  readonly hint: string | undefined;
}

export type FromPrefetcher =
  { readonly job: number; readonly batch: LeftBatch } | { readonly job: number; readonly error: WorkerError };
