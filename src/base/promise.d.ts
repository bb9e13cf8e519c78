/** `finally` waits for the promise that its function returns (ECMA-262, 27.2.5.3); TypeScript's declaration says that it takes none. */
interface Promise<T> {
  finally(whenSettled: () => void | PromiseLike<void>): Promise<T>;
}
