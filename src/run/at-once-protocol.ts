import { UserError } from '../base/errors.ts';
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

export interface SentFailure {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Further fields of a `UserError`. */
  readonly user?: Pick<UserError, 'hint' | 'kind' | 'problems'> | undefined;
}

/** `trained`: the stage has its last state saved. `interrupted`: it has saved what there was when it was told to stop. */
export type FromProcess =
  | { readonly event: RunEvent }
  | { readonly trained: string }
  | { readonly interrupted: string }
  | { readonly failure: SentFailure };

/** An error as it is sent to another process. */
export function sentFailure(error: unknown): SentFailure {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const failure = { name, message, stack };
  if (!(error instanceof UserError)) return failure;
  const { hint, kind, problems } = error;
  return { ...failure, user: { hint, kind, problems } };
}

/** An error that was sent: a `UserError` with its remedy, or any other with the name and the stack of the process where it was thrown. */
export function revived({ name, message, stack, user }: SentFailure): Error {
  if (user !== undefined) return new UserError(message, user.hint, user);
  return Object.assign(new Error(message), { name, ...(stack !== undefined && { stack }) });
}
