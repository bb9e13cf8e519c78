/** Conditions that a latency depends on, besides the model. */
export interface Measurement {
  readonly seconds: number;
  readonly versions: Readonly<Record<string, string>>;
  /** Features of the CPU that matter here; null where the system does not tell. */
  readonly cpuFeatures: readonly string[] | null;
  /** Processes that wanted to run, mean of the last minute, when measuring began. */
  readonly loadAverage: number;
}

/** `limbeck bench` of a finished run, here or on another device. */
export interface LaterMeasurement {
  /** ISO 8601; rows of this measurement have the same. */
  readonly measuredAt: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Load as in `Measurement`; null for another device, which does not tell. */
  readonly loadAverage: number | null;
  readonly skipped: readonly { readonly what: string; readonly why: string }[];
}
