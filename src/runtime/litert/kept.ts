/** Cache with a value for each key, made on first request. A failure is not cached: the next request tries again. */
export class Kept<K, V> {
  readonly #made = new Map<K, Promise<V>>();

  get(key: K, make: () => Promise<V>): Promise<V> {
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const making = make();
    this.#made.set(key, making);
    making.catch(() => {
      if (this.#made.get(key) === making) this.#made.delete(key);
    });
    return making;
  }

  /** Removes all entries and passes each to `dispose`, including those still being made. */
  clear(dispose: (value: V) => void): void {
    // The requester has received the failure; here it would be an unhandled rejection.
    for (const making of this.#made.values()) making.then(dispose, () => undefined);
    this.#made.clear();
  }
}
