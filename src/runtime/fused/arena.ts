import type { FusedUpdate } from '../../graph/passes/step/fused-update.ts';
import type { WasmMemory } from '../../formats/wasm/memory.ts';
import { wasmMemory } from '../../formats/wasm/memory.ts';

/** Bytes of a cache line and of the widest registers. */
const ALIGNMENT = 64;

const spaceOf = (elements: number): number => Math.ceil((4 * elements) / ALIGNMENT) * ALIGNMENT;

/** Memory of fused updates: variables at fixed places, then the vectors of a call, such as gradients. */
export class Arena {
  readonly memory: WasmMemory;
  readonly #variables = new Map<string, Float32Array>();
  readonly #lent = new Map<string, Float32Array>();
  #used = 0;

  private constructor(memory: WasmMemory) {
    this.memory = memory;
  }

  /** An arena with space for these updates; undefined above 4 GB. */
  static for(updates: readonly FusedUpdate[]): Arena | undefined {
    const bytes = updates.reduce(
      (sum, { elements, row, vectors, columns }) =>
        sum + vectors.length * spaceOf(elements) + columns.length * spaceOf(row),
      0,
    );
    const memory = wasmMemory(bytes);
    return memory && new Arena(memory);
  }

  variable(name: string): Float32Array | undefined {
    return this.#variables.get(name);
  }

  /** Space for a variable; undefined if there is none left. */
  place(name: string, elements: number): Float32Array | undefined {
    const data = this.#take(elements);
    if (data !== undefined) this.#variables.set(name, data);
    return data;
  }

  /** Space for a vector of a call, shared by all steps that ask for the same name and size. Undefined if there is none left. */
  lent(name: string, elements: number): Float32Array | undefined {
    const key = `${name} ${elements}`;
    const data = this.#lent.get(key) ?? this.#take(elements);
    if (data !== undefined) this.#lent.set(key, data);
    return data;
  }

  #take(elements: number): Float32Array | undefined {
    if (this.#used + spaceOf(elements) > this.memory.buffer.byteLength) return undefined;
    const data = new Float32Array(this.memory.buffer, this.#used, elements);
    this.#used += spaceOf(elements);
    return data;
  }
}
