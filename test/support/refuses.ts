import { UserError } from '../../src/base/errors.ts';

/** Whether `use` is refused as the user's mistake; anything else that is thrown is ours. */
export function refuses(use: () => unknown): boolean {
  try {
    use();
    return false;
  } catch (error) {
    if (error instanceof UserError) return true;
    throw error;
  }
}
