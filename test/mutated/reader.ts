import type { Mutation } from './mutate.ts';

/** A kind of file that people hand in, with how a command reads it. */
export interface Reader extends Mutation {
  /** Files by their path below a folder, all valid. */
  readonly files: Readonly<Record<string, Uint8Array | string>>;
  /** The one of them that is damaged. */
  readonly damaged: string;
  /** Brings checksums up to date, so that damage reaches what lies behind them. */
  readonly mended?: (bytes: Uint8Array) => Uint8Array;
  /** Mutants for each one of a usual reader: of files with more to them that are read fast. */
  readonly factor?: number;
  /** Throws a `UserError` for what is refused, and anything else for a result that no command could use. */
  readonly read: (folder: string) => Promise<unknown>;
}

/** Throws unless a condition holds of what was read. */
export function sane(holds: boolean, what: string): void {
  if (!holds) throw new Error(`read without complaint, but ${what}`);
}
