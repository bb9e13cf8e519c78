/** All modules that are loaded on demand, so that tests can load them beforehand. */
const all: OnDemand<unknown>[] = [];

/**
 * Module that few runs need, and whose exports code calls that is not asynchronous: who knows that the module will be needed calls `load` and waits, then
 * `module` gives it.
 */
export class OnDemand<T> {
  #module: T | undefined;
  readonly #name: string;
  readonly #open: () => Promise<T>;

  /** `name` says in an error what is not loaded. */
  constructor(name: string, open: () => Promise<T>) {
    this.#name = name;
    this.#open = open;
    all.push(this);
  }

  async load(): Promise<T> {
    return (this.#module ??= await this.#open());
  }

  get module(): T {
    if (this.#module === undefined) throw new Error(`${this.#name}: not loaded`);
    return this.#module;
  }
}

/** Loads all modules that files loaded so far give on demand. */
export async function loadAllOnDemand(): Promise<void> {
  for (const one of all) await one.load();
}
