import { InterruptedError, UserError } from '../base/errors.ts';

/** Reason why `what` failed, in one line, with the remedy if there is one. An `InterruptedError` is thrown on. */
export function reasonOf(error: unknown, what: string): string {
  if (error instanceof InterruptedError) throw error;
  const message = error instanceof Error ? error.message : String(error);
  const [line] = message.trim().split('\n', 1);
  const fact = (line ?? '').replace(`${what}: `, '').slice(0, 500);
  return error instanceof UserError ? `${fact}. ${error.hint.replace(/\.$/, '')}` : fact;
}
