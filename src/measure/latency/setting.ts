import type { Skipped } from '../../base/skipped.ts';

/** Runtime, device and batch size of a row of figures. */
export interface LatencySetting {
  /** The file, or another name that identifies the row. */
  readonly name: string;
  readonly runtime: string;
  readonly device: string;
  readonly batchSize: number;
  readonly threads: number;
}

/** A model to time in a runtime, at a batch size and number of threads. */
export interface TimedVariant extends LatencySetting {
  /** One inference; it ends when the promise, if any, resolves. */
  readonly run: () => unknown;
}

/** A session: models that have been loaded once. */
export interface Opened {
  readonly variants: readonly TimedVariant[];
  readonly skipped: readonly Skipped[];
  readonly dispose: () => void;
}

/** A model file, which is loaded again for each session. */
export interface TimedSource {
  readonly name: string;
  readonly open: () => Promise<Opened>;
}

export function describe({ name, runtime, device, batchSize, threads }: LatencySetting): string {
  return `${name} in ${runtime} on ${device}, batch ${batchSize}, ${threads} thread${threads === 1 ? '' : 's'}`;
}
