/** The used options of ONNX Runtime; its own type needs browser types. */
export interface SessionOptions {
  /** Such as `cpu`; a node runs on the first provider that can compute it. Default: cpu. */
  readonly executionProviders?: readonly (string | { readonly name: string })[];
  /** Threads of an operator; 0: one per core. */
  readonly intraOpNumThreads?: number;
  readonly interOpNumThreads?: number;
  readonly graphOptimizationLevel?: 'disabled' | 'basic' | 'extended' | 'layout' | 'all';
  /** 0: all, 2: warnings, 4: fatal errors only. */
  readonly logSeverityLevel?: 0 | 1 | 2 | 3 | 4;
  readonly enableMemPattern?: boolean;
  /** File for the model as ONNX Runtime has rewritten it. */
  readonly optimizedModelFilePath?: string;
  readonly preferredOutputLocation?: 'cpu' | 'gpu-buffer' | Readonly<Record<string, 'cpu' | 'gpu-buffer'>>;
  /** Contents of files that a model names, which is given as bytes. */
  readonly externalData?: readonly { readonly path: string; readonly data: Uint8Array }[];
  readonly extra?: Readonly<Record<string, unknown>>;
}
