/** This process as one of several that share a run, for metrics. A file of its own, because prom-client is optional, even its types. */
export interface RankedProcess {
  readonly rank: number;
  readonly waitedSeconds: number;
}
