/** Messages between server and page: what to measure, and what came of it. */

export interface PlannedInput {
  readonly name: string;
  readonly dtype: string;
  /** Shape with the size of the batch. */
  readonly shape: readonly number[];
  /** Floats that stand for token ids. */
  readonly isIds?: boolean;
}

export interface PlannedModel {
  readonly id: string;
  readonly format: 'onnx' | 'tflite';
  /** Relative to the page. */
  readonly url: string;
  readonly settings: readonly { readonly batchSize: number; readonly inputs: readonly PlannedInput[] }[];
}

export interface Plan {
  readonly title: string;
  readonly models: readonly PlannedModel[];
  readonly threads: readonly number[];
  /** Seconds for all files together. */
  readonly seconds: number;
}

export interface PostedRow {
  readonly model: string;
  readonly runtime: string;
  readonly batchSize: number;
  readonly threads: number;
  /** Milliseconds of one run, by session. */
  readonly sessions: readonly (readonly number[])[];
}

export interface Posted {
  readonly device: string;
  readonly rows: readonly PostedRow[];
  readonly skipped: readonly { readonly what: string; readonly why: string }[];
}

/** A row as the server sees it, for the page to show. */
export interface Shown {
  readonly model: string;
  readonly runtime: string;
  readonly batchSize: number;
  readonly threads: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
}
