import { UserError } from '../base/errors.ts';
import type { RunEvent } from '../base/events.ts';

/** First message to a process that trains students for a run. */
export interface Setup {
  /** Folder of the run, whose lock the first process holds. */
  readonly folder: string;
  readonly threads: number;
  /** Hash of the files that the recipe names, as the first process read them. */
  readonly files: string;
  readonly saveEveryMs: number;
}

/** A stage to train, or the order to save the state and end. */
export type ToProcess = { readonly train: string } | { readonly stop: true };

export interface SentFailure {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Further fields of a `UserError`. */
  readonly user?: Pick<UserError, 'hint' | 'kind' | 'problems'> | undefined;
}

/** `trained`: the stage has saved its last state. `interrupted`: the stage was told to stop and has saved its state. */
export type FromProcess =
  | { readonly event: RunEvent }
  | { readonly trained: string }
  | { readonly interrupted: string }
  | { readonly failure: SentFailure };

/** An error in a form that can be sent to another process. */
export function sentFailure(error: unknown): SentFailure {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const failure = { name, message, stack };
  if (!(error instanceof UserError)) return failure;
  const { hint, kind, problems } = error;
  return { ...failure, user: { hint, kind, problems } };
}

/** The error that another process sent: a `UserError` with its remedy, or any other error with the name and the stack of its origin. */
export function revived({ name, message, stack, user }: SentFailure): Error {
  if (user !== undefined) return new UserError(message, user.hint, user);
  return Object.assign(new Error(message), { name, ...(stack !== undefined && { stack }) });
}
