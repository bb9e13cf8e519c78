/** This process as one of several that train together, for metrics. A file of its own, because prom-client is optional, even its types. */
export interface Together {
  readonly rank: number;
  readonly waitedSeconds: number;
}
