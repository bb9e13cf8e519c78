/** One value for each key, made when it is first asked for. A failure is not kept: the next call tries again. */
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

  /** Forgets all entries and passes each to `dispose`, also those that are still being made. */
  clear(dispose: (value: V) => void): void {
    // Whoever asked for a value was told that it failed; here it would be a rejection that nobody handles.
    for (const making of this.#made.values()) making.then(dispose, () => undefined);
    this.#made.clear();
  }
}
