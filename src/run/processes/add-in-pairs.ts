import { addUp } from '../../train/parallel/add-up.ts';

/** Elements that are added before the next block: both operands stay in the cache. */
const BLOCK = 4096;

/**
 * Adds arrays of equal length in pairs, then pairs of pairs, and so on: bit for bit the sum of `PartSum`, which receives the arrays one after
 * another.
 */
export function addInPairs(arrays: readonly Float32Array[], into: Float32Array): void {
  const block = arrays.length > 2 ? BLOCK : into.length;
  for (let from = 0; from < into.length; from += block) {
    const to = Math.min(from + block, into.length);
    addBlock(
      arrays.map((array) => array.subarray(from, to)),
      into.subarray(from, to),
    );
  }
}

function addBlock(arrays: readonly Float32Array[], into: Float32Array): void {
  const [first, second] = arrays as [Float32Array, Float32Array?];
  if (second === undefined) into.set(first);
  else if (arrays.length === 2) addUp(first, second, into);
  else {
    const half = 2 ** Math.floor(Math.log2(arrays.length - 1));
    const rest = new Float32Array(into.length);
    addBlock(arrays.slice(0, half), into);
    addBlock(arrays.slice(half), rest);
    addUp(into, rest, into);
  }
}
