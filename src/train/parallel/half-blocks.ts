import { fromHalf, toHalf } from '../../base/bytes.ts';
import type { Wire } from './exchange.ts';

/** Number of values that share a factor. */
const BLOCK = 256;
/** Lowest exponent of the largest value of a block; below it, float32 cannot represent every half times its factor. */
const LOWEST = -100;
/** The largest value of a block is scaled to at least 2^14 and below 2^15: a half holds at most 65504. */
const TOP = 14;

const VALUES = Float32Array.from({ length: 2 ** 16 }, (_, bits) => fromHalf(bits));
const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);

/**
 * Float16 with a factor for each block of 256 values, a power of two that brings the largest value near the largest half: none overflows, and values
 * down to 2^-28 of the largest keep the eleven bits of a half. NaN and infinity are preserved.
 */
export const halfBlocks: Wire = {
  block: BLOCK,
  lengthOf: (values) => values / 2 + values / BLOCK,
  pack: (values, into) => {
    const blocks = values.length / BLOCK;
    const halves = halvesOf(into, blocks);
    for (let block = 0; block < blocks; block++) {
      const end = (block + 1) * BLOCK;
      const factor = factorOf(values, block * BLOCK, end);
      into[block] = factor;
      for (let i = block * BLOCK; i < end; i++) halves[i] = toHalf(values[i]! * factor);
    }
  },
  unpack: (packed, into) => {
    const blocks = into.length / BLOCK;
    const halves = halvesOf(packed, blocks);
    for (let block = 0; block < blocks; block++) {
      const [end, scale] = [(block + 1) * BLOCK, 1 / packed[block]!];
      for (let i = block * BLOCK; i < end; i++) into[i] = VALUES[halves[i]!]! * scale;
    }
  },
};

/** Rounds values in place so that packing does not change them. */
export function roundToHalfBlocks(values: Float32Array): void {
  for (let start = 0; start < values.length; start += BLOCK) {
    const end = Math.min(start + BLOCK, values.length);
    const factor = factorOf(values, start, end);
    for (let i = start; i < end; i++) values[i] = VALUES[toHalf(values[i]! * factor)]! / factor;
  }
}

/** Rounds a number of values up to whole blocks. */
export function inBlocks(values: number): number {
  return BLOCK * Math.ceil(values / BLOCK);
}

function halvesOf(packed: Float32Array, blocks: number): Uint16Array {
  return new Uint16Array(packed.buffer, packed.byteOffset + 4 * blocks, blocks * BLOCK);
}

/** Power of two for the values from `start` to `end`, the same before and after rounding; 1 if any value is not finite. */
function factorOf(values: Float32Array, start: number, end: number): number {
  let most = 0;
  for (let i = start; i < end; i++) {
    const size = Math.abs(values[i]!);
    // Infinite or NaN.
    if (!(size < Infinity)) return 1;
    if (size > most) most = size;
  }
  if (most === 0) return 1;
  float[0] = most;
  // Round to eleven bits first: a carry may raise the exponent.
  const exponent = ((bits[0]! + 0xfff + ((bits[0]! >>> 13) & 1)) >>> 23) - 127;
  return 2 ** (TOP - Math.max(LOWEST, exponent));
}
