import { UserError } from '../../base/errors.ts';

/** Calls `read`. Errors of a tokenizer become a `UserError` that names the row. */
export function readByTokenizer<T>(what: 'text' | 'words', where: () => string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof UserError || !(error instanceof Error)) throw error;
    throw new UserError(
      `${where()}: the tokenizer cannot read the ${what}: ${error.message}`,
      'Take another tokenizer, or remove the row.',
      { cause: error },
    );
  }
}
