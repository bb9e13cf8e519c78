import type { SplitGraph } from '../../graph/passes/step/split-updates.ts';
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

  /**
   * An arena with space for these updates; undefined above 4 GB. That of vectors whose rows lie apart is left to rows and addresses of steps with other
   * batches: memory takes room when it is first written.
   *
   * @param elementsOf number of elements of a value
   */
  static for(
    { updates, rowSums }: Pick<SplitGraph, 'updates' | 'rowSums'>,
    elementsOf: (value: string) => number,
  ): Arena | undefined {
    const ofUpdates = updates.map(
      ({ elements, row, vectors, columns }) => vectors.length * spaceOf(elements) + (columns.length + 1) * spaceOf(row),
    );
    const ofSums = [...rowSums.values()].map(({ rows, segments }) => 2 * spaceOf(elementsOf(rows)) + spaceOf(segments));
    const memory = wasmMemory([...ofUpdates, ...ofSums].reduce((sum, bytes) => sum + bytes, 0));
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
