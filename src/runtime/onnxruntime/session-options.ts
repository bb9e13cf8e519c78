/** The options of ONNX Runtime that are used here; ONNX Runtime's own type wants the types of a browser beside it. */
export interface SessionOptions {
  /** E.g. `cpu`; the first that can compute a node does. Default: cpu. */
  readonly executionProviders?: readonly (string | { readonly name: string })[];
  /** Threads of one operator; 0: one per core. */
  readonly intraOpNumThreads?: number;
  readonly interOpNumThreads?: number;
  readonly graphOptimizationLevel?: 'disabled' | 'basic' | 'extended' | 'layout' | 'all';
  /** 0: all, 2: warnings, 4: nothing but what ends the process. */
  readonly logSeverityLevel?: 0 | 1 | 2 | 3 | 4;
  readonly enableMemPattern?: boolean;
  /** File that ONNX Runtime writes the model to as it has rewritten it. */
  readonly optimizedModelFilePath?: string;
  readonly preferredOutputLocation?: 'cpu' | 'gpu-buffer' | Readonly<Record<string, 'cpu' | 'gpu-buffer'>>;
  readonly extra?: Readonly<Record<string, unknown>>;
}
