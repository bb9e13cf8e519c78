/** Result of `work`; if it fails, calls `close` to release what is already open. */
export async function orClose<T>(work: () => T | Promise<T>, close: () => void | Promise<void>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await close();
    throw error;
  }
}
