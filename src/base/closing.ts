/** The result of `work`, which goes on with something that is open already: where it fails, `close` closes that. */
export async function orClose<T>(work: () => T | Promise<T>, close: () => void | Promise<void>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await close();
    throw error;
  }
}
