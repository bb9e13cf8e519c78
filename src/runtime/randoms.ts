import type { FillBlocks } from '../base/philox.ts';
import { RandomStream } from '../base/random.ts';
import { encodeModule } from '../formats/wasm/module.ts';
import { UNIFORM_AT_ONCE, uniformFunction } from '../formats/wasm/uniform.ts';
import { wasmFunctions, wasmMemory } from '../formats/wasm/memory.ts';

/** Fills `data` with the random numbers of call `step` of the feed `name`, after skipping `skipped` of them. */
export function fillRandom(
  data: Float32Array,
  key: readonly (string | number)[],
  step: number,
  name: string,
  skipped = 0,
): void {
  new RandomStream(...key, step, name).skip(skipped).fillUniform(data, fillVectors);
}

/** Number of elements that fit into the L1 cache while they are copied. */
const PART = 4096;

let drawing: { readonly run: (...args: readonly number[]) => void; readonly numbers: Float32Array } | undefined;

/** The bits of `RandomStream`, computed by WebAssembly vectors: a dropout mask has a number for each unit of each sample. */
export const fillVectors: FillBlocks = (out, { counter, c2, c3, k0, k1 }) => {
  drawing ??= makeDrawing();
  const { run, numbers } = drawing;
  for (let start = 0; start < out.length; start += PART) {
    const count = Math.min(PART, out.length - start);
    const bytes = 4 * UNIFORM_AT_ONCE * Math.ceil(count / UNIFORM_AT_ONCE);
    const block = counter + start / 4;
    run(0, bytes, block | 0, Math.floor(block / 0x100000000) | 0, c2 | 0, c3 | 0, k0 | 0, k1 | 0);
    out.set(count === PART ? numbers : numbers.subarray(0, count), start);
  }
};

function makeDrawing(): NonNullable<typeof drawing> {
  const memory = wasmMemory(4 * PART);
  if (memory === undefined) throw new Error('WebAssembly has no memory of one page');
  const { uniform } = wasmFunctions(encodeModule([uniformFunction('uniform')]), memory);
  return { run: uniform!, numbers: new Float32Array(memory.buffer, 0, PART) };
}
