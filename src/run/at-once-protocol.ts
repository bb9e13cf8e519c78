import type { RunEvent } from '../base/events.ts';

/** Beginning of a process that trains students for a run. */
export interface Setup {
  /** Folder of the run, whose lock the first process holds. */
  readonly folder: string;
  readonly threads: number;
  /** Hash of what the first process has of the files that the recipe names. */
  readonly files: string;
  readonly saveEveryMs: number;
}

/** Stage to train, or the word to save what there is and end. */
export type ToProcess = { readonly train: string } | { readonly stop: true };

export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Remedy of a `UserError`. */
  readonly hint: string | undefined;
}

/** `trained`: the stage has its last state saved. `interrupted`: it has saved what there was when it was told to stop. */
export type FromProcess =
  | { readonly event: RunEvent }
  | { readonly trained: string }
  | { readonly interrupted: string }
  | { readonly failure: Failure };
