import { unsigned } from './module.ts';

/** Bytes of a vector of WebAssembly: four floats. */
export const VECTOR_BYTES = 16;

export const get = (local: number): number[] => [0x20, ...unsigned(local)];
export const set = (local: number): number[] => [0x21, ...unsigned(local)];
export const simd = (opcode: number): number[] => [0xfd, ...unsigned(opcode)];
/** Alignment of 16 bytes, no offset. */
export const [LOAD, STORE] = [
  [...simd(0x00), 4, 0],
  [...simd(0x0b), 4, 0],
];
/** Loads an address; alignment of 4 bytes, no offset. */
export const LOAD_ADDRESS = [0x28, 2, 0];
export const [I32_CONST, I32_ADD, I32_LESS] = [0x41, 0x6a, 0x49];

/** A vector of the bytes of these four numbers. */
export const vectorOf = (numbers: Uint32Array | Float32Array): number[] => [
  ...simd(0x0c),
  ...new Uint8Array(numbers.buffer),
];

/** `body` over and over, while the local `at` is less than the local `end` behind it. */
export function loopUntil(at: number, end: number, body: readonly number[]): number[] {
  return [0x03, 0x40, ...body, ...get(at), ...get(end), I32_LESS, 0x0d, 0, 0x0b];
}

/** The local rises by the bytes of a vector. */
export const advance = (local: number): number[] => [...get(local), I32_CONST, VECTOR_BYTES, I32_ADD, ...set(local)];

/** The local becomes 0. */
export const clear = (local: number): number[] => [I32_CONST, 0, ...set(local)];
