import { UserError } from '../base/errors.ts';
import { printType } from '../graph/print.ts';
import { sameShape, staticShape, staticSize } from '../graph/shapes.ts';
import type { TensorData, TensorType } from '../graph/types.ts';
import type { State, StateTensor } from './engine.ts';
import type { Arena } from './fused/arena.ts';
import type { Tensor } from './onnxruntime/session.ts';
import { allocate, holds, ortTensor } from './onnxruntime/session.ts';

interface Buffer {
  readonly data: TensorData;
  readonly tensor: Tensor;
}

/** Variables of one or more steps, in any memory. */
export interface StateStore {
  /** Adds a variable; an existing one of this name keeps its content. */
  declare(name: string, type: TensorType, initial: () => TensorData): void;
  /** Tensor to feed to a call. */
  current(name: string): Tensor;
  /** Tensor that receives the next content; null: the call makes one. */
  spare(name: string): Tensor | null;
  /** After a call, makes `written` the current content. */
  advance(name: string, written: Tensor): void;
  /** Copies of the named variables. */
  read(names: Iterable<string>): State;
  /** Replaces the content of variables in `names`; `UserError` for others. */
  load(state: State, names: ReadonlySet<string>): void;
  open(): this;
  /** Frees everything when its last user has closed it. */
  close(): void;
}

/** A variable: its current content, and a buffer for the next. */
class Slot {
  readonly type: TensorType;
  /** Initial content, written only on first use, because the variable may get a place before. */
  #initial: (() => TensorData) | undefined;
  #current: Buffer | undefined;
  #spare: Buffer | undefined;
  /** True after the address of the content was given out: it must stay there. */
  #isPlaced = false;

  constructor(type: TensorType, initial: () => TensorData) {
    this.type = type;
    this.#initial = initial;
  }

  get current(): Buffer {
    return (this.#current ??= this.#filled(this.#allocated()));
  }

  /** Made when a step first writes the variable. */
  get spare(): Buffer {
    return (this.#spare ??= this.#buffer(this.#allocated()));
  }

  swap(): void {
    if (this.#isPlaced) (this.current.data as Float32Array).set(this.spare.data as Float32Array);
    else [this.#current, this.#spare] = [this.spare, this.current];
  }

  /** Moves the variable to `data` permanently. */
  place(data: TensorData): void {
    if (this.#current?.data === data) return;
    this.#current = this.#filled(data);
    this.#spare = undefined;
    this.#isPlaced = true;
  }

  /** `data`, filled with the variable's content. */
  #filled(data: TensorData): Buffer {
    (data as Float32Array).set((this.#current?.data ?? this.#initial!()) as Float32Array);
    this.#initial = undefined;
    return this.#buffer(data);
  }

  #allocated(): TensorData {
    return allocate(this.type.dtype, staticSize(this.type.shape));
  }

  #buffer(data: TensorData): Buffer {
    return { data, tensor: ortTensor(this.type.dtype, data, staticShape(this.type.shape, 'a variable')) };
  }
}

/** Variables in this process' memory: two buffers each, used alternately, or one for variables of fused updates. */
export class HostStore implements StateStore {
  /** Memory of variables with fused updates: one arena for each network that a training updates separately. */
  readonly arenas: Arena[] = [];
  readonly #slots = new Map<string, Slot>();

  declare(name: string, type: TensorType, initial: () => TensorData): void {
    const known = this.#slots.get(name);
    if (known === undefined) this.#slots.set(name, new Slot(type, initial));
    else checkType(name, known.type, type);
  }

  current(name: string): Tensor {
    return this.#slot(name).current.tensor;
  }

  spare(name: string): Tensor {
    return this.#slot(name).spare.tensor;
  }

  advance(name: string): void {
    this.#slot(name).swap();
  }

  /** Current content of a variable. */
  data(name: string): TensorData {
    return this.#slot(name).current.data;
  }

  /** Moves a variable's content to `data` permanently. */
  place(name: string, data: TensorData): void {
    this.#slot(name).place(data);
  }

  read(names: Iterable<string>): State {
    const copies = new Map<string, StateTensor>();
    for (const name of names) {
      const { type, current } = this.#slot(name);
      copies.set(name, { type, data: current.data.slice() });
    }
    return copies;
  }

  load(state: State, names: ReadonlySet<string>): void {
    checkState(state, new Map([...names].map((name) => [name, this.#slot(name).type])));
    for (const [name, { data }] of state) (this.#slot(name).current.data as Float32Array).set(data as Float32Array);
  }

  open(): this {
    return this;
  }

  close(): void {
    // Garbage collection frees the memory.
  }

  #slot(name: string): Slot {
    return this.#slots.get(name)!;
  }
}

/** `UserError` unless `state` has only variables of `types`, each with its type. */
export function checkState(state: State, types: ReadonlyMap<string, TensorType>): void {
  for (const [name, { type, data }] of state) {
    const declared = types.get(name);
    if (declared === undefined)
      throw new UserError(
        `the state has a variable ${name} that the program does not have`,
        'Load a state that was saved from the same model and optimizer.',
      );
    checkType(name, declared, type);
    if (!holds(type.dtype, data) || data.length !== staticSize(type.shape))
      throw new Error(`variable ${name}: ${data.length} values for ${printType(type)}`);
  }
}

export function checkType(name: string, own: TensorType, given: TensorType): void {
  if (own.dtype === given.dtype && sameShape(own.shape, given.shape)) return;
  throw new UserError(
    `variable ${name} is ${printType(own)}, received ${printType(given)}`,
    'Load a state that was saved from the same model and optimizer.',
  );
}
