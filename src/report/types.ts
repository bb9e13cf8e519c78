/** The content of report.json. Accuracies are fractions, sizes bytes, latencies milliseconds, times seconds. */
export interface Report {
  readonly version: 1;
  readonly name: string;
  readonly seed: number;
  readonly status: 'complete' | 'failed';
  readonly wallSeconds: number;
  readonly machine: Machine;
  readonly dataset: DatasetSummary;
  readonly teacher?: TeacherSummary;
  readonly models: readonly ModelRow[];
  readonly verdict?: Verdict;
  readonly parity: readonly ParitySummary[];
  /** One sentence each: what was odd, left out or skipped, and why. */
  readonly notes: readonly string[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly platform: string;
  readonly node: string;
  readonly engine: string;
  readonly device: string;
}

export interface DatasetSummary {
  readonly type: string;
  readonly classes: number;
  readonly sampleShape: readonly number[];
  readonly samples: { readonly train: number; readonly validation: number; readonly test: number };
}

/** Where the soft targets came from, and what storing them was worth. */
export interface TeacherSummary {
  readonly source: string;
  readonly store: 'fp16' | 'fp32' | 'live' | 'none';
  readonly views: number;
  /** Time the teacher took to answer for the store. */
  readonly seconds: number;
  /** Time that asking it at every step would have taken beyond that. */
  readonly savedSeconds: number;
  readonly bytes: number;
}

export interface ModelRow {
  /** `teacher`, `scratch`, `distilled`, then one per later step. */
  readonly id: string;
  readonly stage: string;
  readonly format: string;
  readonly precision: string;
  readonly params: number;
  readonly macs: number | null;
  readonly sizeBytes: number;
  /** Relative to the folder of the run. */
  readonly file: string | null;
  readonly accuracy: { readonly validation: number | null; readonly test: number | null };
  /** Time of training. */
  readonly seconds: number;
  readonly latency: readonly LatencyRow[];
}

export interface LatencyRow {
  readonly runtime: string;
  readonly device: string;
  readonly batchSize: number;
  readonly threads: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly throughputPerSecond: number;
}

/** Is the distilled student better than its twin trained without the teacher? On test accuracy, seed by seed. */
export interface Verdict {
  readonly result: 'BEATS' | 'NO GAIN' | 'INCONCLUSIVE';
  /** Mean gain in accuracy, a fraction. */
  readonly gain: number;
  /** 95 % confidence interval of the mean gain; null with one repeat, which cannot tell a gain from chance. */
  readonly interval: readonly [number, number] | null;
  readonly repeats: number;
  readonly gains: readonly number[];
  readonly sentence: string;
}

export interface ParitySummary {
  readonly file: string;
  readonly samples: number;
  /** Share of samples on which file and training graph agree about the class. */
  readonly top1Agreement: number;
  readonly largestError: number;
}
