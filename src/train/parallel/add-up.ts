import { encodeModule } from '../../formats/wasm/module.ts';
import { sumFunction } from '../../formats/wasm/sum.ts';
import { wasmFunctions, wasmMemory } from '../../formats/wasm/memory.ts';

/** Number of elements of both arrays that fit into the L1 cache while they are copied. */
const PART = 2048;
/** Shorter arrays are faster to add in a loop. */
const FEW = 64;

let adding: { readonly run: () => void; readonly sums: Float32Array; readonly next: Float32Array } | undefined;

/**
 * Adds two float32 arrays, of which either may be `into`, with WebAssembly vectors: the same bits as a loop, and faster although everything is copied
 * to WebAssembly memory and back.
 */
export function addUp(one: Float32Array, other: Float32Array, into: Float32Array): void {
  const { length } = into;
  if (length < FEW) {
    for (let i = 0; i < length; i++) into[i] = one[i]! + other[i]!;
    return;
  }
  const { run, sums, next } = (adding ??= makeAdding());
  for (let from = 0; from < length; from += PART) {
    const to = Math.min(from + PART, length);
    const isWhole = to - from === PART;
    sums.set(one.subarray(from, to));
    next.set(other.subarray(from, to));
    run();
    into.set(isWhole ? sums : sums.subarray(0, to - from), from);
  }
}

function makeAdding(): NonNullable<typeof adding> {
  const memory = wasmMemory(2 * 4 * PART);
  if (memory === undefined) throw new Error('WebAssembly has no memory of one page');
  const { sum } = wasmFunctions(encodeModule([sumFunction('sum')]), memory);
  const bytes = 4 * PART;
  return {
    run: () => sum!(0, bytes, bytes),
    sums: new Float32Array(memory.buffer, 0, PART),
    next: new Float32Array(memory.buffer, bytes, PART),
  };
}
