/** What beside the model a latency depends on. */
export interface Measurement {
  readonly seconds: number;
  readonly versions: Readonly<Record<string, string>>;
  /** What of the CPU matters here; null where the system does not tell. */
  readonly cpuFeatures: readonly string[] | null;
  /** Processes that wanted to run, mean of the last minute, when measuring began. */
  readonly loadAverage: number;
}

/** `limbeck bench` of a finished run, here or on another device. */
export interface LaterMeasurement {
  /** ISO 8601; rows of this measurement have the same. */
  readonly measuredAt: string;
  readonly versions: Readonly<Record<string, string>>;
  /** As in `Measurement`; null for another device, which does not tell. */
  readonly loadAverage: number | null;
  readonly skipped: readonly { readonly what: string; readonly why: string }[];
}
