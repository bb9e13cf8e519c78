import { UserError } from './errors.ts';

/** Row of a registry, whose name recipes and files give. */
interface Named {
  readonly name: string;
}

/** Module that is loaded when a feature is used, which exports the value of the slot under the slot's name. */
type Cell = () => Promise<Readonly<Record<string, unknown>>>;

/**
 * Features of a kind, such as forms of answers, by name. `src/features.ts` fills registries; all other code asks them by a name that a recipe or a file
 * gave, so that a feature can be taken out with its row.
 */
export class Registry<Row extends Named> {
  readonly #rows = new Map<string, Row>();
  readonly #cells = new Map<string, Readonly<Record<string, Cell | undefined>>>();

  /** Name of the features in messages: `form of answer`. */
  readonly kind: string;

  constructor(kind: string) {
    this.kind = kind;
  }

  /** Adds a feature, with a cell for each slot that the feature fills. */
  add(row: Row, cells: Readonly<Record<string, Cell | undefined>> = {}): void {
    if (this.#rows.has(row.name)) throw new Error(`two rows for the ${this.kind} ${row.name}`);
    this.#rows.set(row.name, row);
    this.#cells.set(row.name, cells);
  }

  /** Adds cells to a feature that has been registered before. */
  fill({ name }: Row, cells: Readonly<Record<string, Cell | undefined>>): void {
    this.#cells.set(name, { ...this.#cells.get(name), ...cells });
  }

  /** The row of a name. `UserError` for a name without a row. */
  get(name: string): Row {
    const row = this.#rows.get(name);
    if (row === undefined) throw new UserError(`no ${this.kind} ${name}`, `There are ${this.names().join(', ')}.`);
    return row;
  }

  all(): readonly Row[] {
    return [...this.#rows.values()];
  }

  names(): readonly string[] {
    return [...this.#rows.keys()];
  }

  /** Cell of a feature for a slot; undefined if the feature does not fill the slot. */
  cell(name: string, slot: string): Cell | undefined {
    this.get(name);
    return this.#cells.get(name)![slot];
  }
}

/** A place of a layer that features fill, each with a module of its own; the layer that reads a slot owns the type of its values. */
export class Slot<T> {
  readonly #loaded = new Map<string, T>();

  readonly #registry: Registry<Named>;
  /** Name of the slot, and of the export of a feature's module. */
  readonly name: string;
  readonly #what: string;

  /** `what` names the slot in refusals: `sample for React Native`. */
  constructor(registry: Registry<Named>, name: string, what: string) {
    this.#registry = registry;
    this.name = name;
    this.#what = what;
  }

  /** True if the feature fills the slot. */
  has(feature: string): boolean {
    return this.#registry.cell(feature, this.name) !== undefined;
  }

  /** Names of the features that fill the slot. */
  names(): readonly string[] {
    return this.#registry.names().filter((name) => this.has(name));
  }

  /** Sentence that a feature lacks the slot, with the names of the features that fill it. */
  absence(feature: string): string {
    return `${feature} have no ${this.#what}: ${this.names().join(', ')} have`;
  }

  /** The feature's value, of whose module nothing is loaded before. `UserError` for a feature that does not fill the slot. */
  async load(feature: string): Promise<T> {
    const cell = this.#registry.cell(feature, this.name);
    if (cell === undefined)
      throw new UserError(`${feature} have no ${this.#what}`, `Others have: ${this.names().join(', ')}.`);
    const { [this.name]: value } = await cell();
    if (value === undefined) throw new Error(`the module of ${feature} does not export ${this.name}`);
    this.#loaded.set(feature, value as T);
    return value as T;
  }

  /** Loads the values of all features that fill the slot. */
  async loadAll(): Promise<void> {
    for (const name of this.names()) await this.load(name);
  }

  /** The feature's value; undefined for a feature that does not fill the slot. */
  async loadIfThere(feature: string): Promise<T | undefined> {
    return this.has(feature) ? this.load(feature) : undefined;
  }

  /** The feature's value, for code that is not asynchronous: `load` has been called before. */
  of(feature: string): T {
    const value = this.#loaded.get(feature);
    if (value === undefined) throw new Error(`${this.name} of ${feature} is not loaded`);
    return value;
  }
}
