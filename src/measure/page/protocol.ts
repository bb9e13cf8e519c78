/** Messages between server and page: the plan, and the results. */

export interface PlannedInput {
  readonly name: string;
  readonly dtype: string;
  /** Shape including the batch. */
  readonly shape: readonly number[];
  /** True for floats that hold token ids. */
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
  /** Milliseconds of each run, by session. */
  readonly sessions: readonly (readonly number[])[];
}

export interface Posted {
  readonly device: string;
  readonly rows: readonly PostedRow[];
  readonly skipped: readonly { readonly what: string; readonly why: string }[];
}

/** A row of figures, as computed by the server, for the page to show. */
export interface Shown {
  readonly model: string;
  readonly runtime: string;
  readonly batchSize: number;
  readonly threads: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
}
