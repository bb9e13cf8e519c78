/** The process as one of several that train together, as far as metrics tell of it. A file of its own: prom-client is optional, also for types. */
export interface Together {
  readonly rank: number;
  readonly waitedSeconds: number;
}
