/** Runs `work` and returns its result. If `work` fails, calls `close`, which releases the resources that `work` was given, and throws the error on. */
export async function orClose<T>(work: () => T | Promise<T>, close: () => void | Promise<void>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await close();
    throw error;
  }
}
