import { advance, get, LOAD, loopUntil, simd, STORE } from './instructions.ts';
import type { WasmFunction } from './module.ts';

const ADD = simd(0xe4);

/**
 * Adds numbers to others, four at a time, each sum rounded by itself (IEEE 754): the bits of any other way. Parameters: the address of the
 * sums, the address behind the last of them, the address of what is added. The bytes are a multiple of 16.
 */
export function sumFunction(name: string): WasmFunction {
  const [sum, end, next] = [0, 1, 2];
  const added = [...get(sum), ...get(sum), ...LOAD, ...get(next), ...LOAD, ...ADD, ...STORE];
  return {
    name,
    params: ['i32', 'i32', 'i32'],
    locals: [],
    body: loopUntil(sum, end, [...added, ...advance(sum), ...advance(next)]),
  };
}
