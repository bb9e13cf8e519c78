import {
  get,
  I32_ADD,
  I32_CONST,
  I32_LESS,
  loopUntil,
  set,
  simd,
  STORE,
  vectorOf,
  VECTOR_BYTES,
} from './instructions.ts';
import type { WasmFunction, WasmType } from './module.ts';

/** Numbers that are drawn at once: four blocks of four. */
export const UNIFORM_AT_ONCE = 16;

const ROUNDS = 10;
/** Multipliers and additions to the keys of Philox4x32 (Salmon et al. 2011, table 2 and section 3.1). */
const [M0, M1, W0, W1] = [0xd2511f53, 0xcd9e8d57, 0x9e3779b9, 0xbb67ae85];

const fourOf = (word: number): number[] => vectorOf(new Uint32Array(4).fill(word));
/** Words of two vectors: 0 … 3 are those of the first. */
const shuffled = (words: readonly number[]): number[] => [
  ...simd(0x0d),
  ...words.flatMap((word) => [4 * word, 4 * word + 1, 4 * word + 2, 4 * word + 3]),
];
const [SPLAT, ADD, SUB, LESS, XOR] = [simd(0x11), simd(0xae), simd(0xb1), simd(0x3a), simd(0x51)];
/** Products in 64 bits of the lower and of the upper two words. */
const [PRODUCTS_LOW, PRODUCTS_HIGH] = [simd(0xde), simd(0xdf)];
const [TO_FLOAT, TIMES] = [simd(0xfa), simd(0xe6)];
const UNIT = vectorOf(new Float32Array(4).fill(2 ** -24));
/** Shift by 8 bits to the right, unsigned. */
const SHIFT = [I32_CONST, 8, ...simd(0xad)];

/**
 * Numbers in [0, 1) of Philox4x32-10, the bits of `RandomStream.fillUniform`: the upper 24 bits of each word. Parameters: the address,
 * the address behind the last number, the lower and the upper word of the first block's counter, the other two words of the counter,
 * the two words of the key. The numbers are a multiple of 16. Each vector holds one word of four blocks.
 */
export function uniformFunction(name: string): WasmFunction {
  const params: WasmType[] = new Array<WasmType>(8).fill('i32');
  const locals: WasmType[] = [];
  const vector = (): number => params.length + locals.push('v128') - 1;
  const [at, end, low, high, c2, c3, k0, k1] = [0, 1, 2, 3, 4, 5, 6, 7];
  const keys = [k0, k1].map((key, i) =>
    Array.from({ length: ROUNDS }, (_, round) => ({ local: vector(), key, by: Math.imul(round, i === 0 ? W0 : W1) })),
  );
  const setup = keys
    .flat()
    .flatMap(({ local, key, by }) => [...get(key), ...SPLAT, ...fourOf(by), ...ADD, ...set(local)]);
  const x = [vector(), vector(), vector(), vector()] as [number, number, number, number];
  const [a, b] = [vector(), vector()];

  const counters = vectorOf(Uint32Array.of(0, 1, 2, 3));
  const start = [
    ...get(low),
    ...SPLAT,
    ...counters,
    ...ADD,
    ...set(x[0]),
    // A true comparison is -1: where the lower word has begun anew, the upper one is one more.
    ...get(high),
    ...SPLAT,
    ...get(x[0]),
    ...get(low),
    ...SPLAT,
    ...LESS,
    ...SUB,
    ...set(x[1]),
    ...get(c2),
    ...SPLAT,
    ...set(x[2]),
    ...get(c3),
    ...SPLAT,
    ...set(x[3]),
  ];
  /** Words of a round: upper and lower half of the product of `of` and `by`, the upper one mixed with `other` and the key. */
  const half = (of: number, by: number, other: number, key: number, upper: number, lower: number): number[] => [
    ...get(of),
    ...fourOf(by),
    ...PRODUCTS_LOW,
    ...set(a),
    ...get(of),
    ...fourOf(by),
    ...PRODUCTS_HIGH,
    ...set(b),
    ...get(a),
    ...get(b),
    ...shuffled([1, 3, 5, 7]),
    ...get(other),
    ...XOR,
    ...get(key),
    ...XOR,
    ...set(upper),
    ...get(a),
    ...get(b),
    ...shuffled([0, 2, 4, 6]),
    ...set(lower),
  ];
  const [u0, l0, u1, l1] = [vector(), vector(), vector(), vector()];
  const rounds = Array.from({ length: ROUNDS }, (_, round) => [
    ...half(x[0], M0, x[3], keys[1]![round]!.local, u0, l0),
    ...half(x[2], M1, x[1], keys[0]![round]!.local, u1, l1),
    ...[u1, l1, u0, l0].flatMap((from, i) => [...get(from), ...set(x[i]!)]),
  ]).flat();

  // From one word of four blocks in a vector to four words of one block.
  const paired = (first: number, second: number, words: readonly number[], into: number): number[] => [
    ...get(first),
    ...get(second),
    ...shuffled(words),
    ...set(into),
  ];
  const pairs = [
    ...paired(x[0], x[1], [0, 4, 1, 5], u0),
    ...paired(x[0], x[1], [2, 6, 3, 7], u1),
    ...paired(x[2], x[3], [0, 4, 1, 5], l0),
    ...paired(x[2], x[3], [2, 6, 3, 7], l1),
  ];
  const block = (i: number, from: readonly [number, number], words: readonly number[]): number[] => [
    ...get(at),
    I32_CONST,
    i * VECTOR_BYTES,
    I32_ADD,
    ...get(from[0]),
    ...get(from[1]),
    ...shuffled(words),
    ...SHIFT,
    ...TO_FLOAT,
    ...UNIT,
    ...TIMES,
    ...STORE,
  ];
  const stores = [
    ...block(0, [u0, l0], [0, 1, 4, 5]),
    ...block(1, [u0, l0], [2, 3, 6, 7]),
    ...block(2, [u1, l1], [0, 1, 4, 5]),
    ...block(3, [u1, l1], [2, 3, 6, 7]),
  ];
  const next = [
    ...get(low),
    I32_CONST,
    4,
    I32_ADD,
    ...set(low),
    ...get(high),
    ...get(low),
    I32_CONST,
    4,
    I32_LESS,
    I32_ADD,
    ...set(high),
    // 64 as a signed LEB128 has two bytes.
    ...get(at),
    I32_CONST,
    0xc0,
    0x00,
    I32_ADD,
    ...set(at),
  ];
  const body = [...setup, ...loopUntil(at, end, [...start, ...rounds, ...pairs, ...stores, ...next])];
  return { name, params, locals, body };
}
