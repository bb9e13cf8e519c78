import type { Skipped } from '../../base/skipped.ts';

/** Runtime, device and batch that a row of figures is about. */
export interface LatencySetting {
  /** The file, or whatever else the rows are told apart by. */
  readonly name: string;
  readonly runtime: string;
  readonly device: string;
  readonly batchSize: number;
  readonly threads: number;
}

/** One thing to time: a model in a runtime, at a batch size and a number of threads. */
export interface TimedVariant extends LatencySetting {
  /** One inference; it is over when the promise, if there is one, is resolved. */
  readonly run: () => unknown;
}

/** Models loaded once: a session of each. */
export interface Opened {
  readonly variants: readonly TimedVariant[];
  readonly skipped: readonly Skipped[];
  readonly dispose: () => void;
}

/** A file that can be loaded again and again. */
export interface TimedSource {
  readonly name: string;
  readonly open: () => Promise<Opened>;
}

export function describe({ name, runtime, device, batchSize, threads }: LatencySetting): string {
  return `${name} in ${runtime} on ${device}, batch ${batchSize}, ${threads} thread${threads === 1 ? '' : 's'}`;
}
