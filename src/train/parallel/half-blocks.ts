import { fromHalf, toHalf } from '../../base/bytes.ts';
import type { Wire } from './exchange.ts';

/** Values that share a factor. */
const BLOCK = 256;
/** Least exponent of the largest value of a block: below it float32 could not hold all that a half with its factor says. */
const LOWEST = -100;
/** A half holds at most 65504: the largest value of a block comes to 2^14 at least, and to less than 2^15. */
const TOP = 14;

const VALUES = Float32Array.from({ length: 2 ** 16 }, (_, bits) => fromHalf(bits));
const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);

/**
 * Float16 with a factor for each 256 values in a row, a power of two by which the largest of them comes near the largest half: none
 * overflows, and values down to 2^-28 of the largest keep the eleven bits of a half. NaN and infinity are kept.
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

/** Rounds to what packing leaves unchanged; in place. */
export function roundToHalfBlocks(values: Float32Array): void {
  for (let start = 0; start < values.length; start += BLOCK) {
    const end = Math.min(start + BLOCK, values.length);
    const factor = factorOf(values, start, end);
    for (let i = start; i < end; i++) values[i] = VALUES[toHalf(values[i]! * factor)]! / factor;
  }
}

/** Number of values that is a multiple of a block. */
export function inBlocks(values: number): number {
  return BLOCK * Math.ceil(values / BLOCK);
}

function halvesOf(packed: Float32Array, blocks: number): Uint16Array {
  return new Uint16Array(packed.buffer, packed.byteOffset + 4 * blocks, blocks * BLOCK);
}

/** The power of two for the values from `start` to `end`; 1 where one of them is not finite. The same for the rounded values. */
function factorOf(values: Float32Array, start: number, end: number): number {
  let most = 0;
  for (let i = start; i < end; i++) {
    const size = Math.abs(values[i]!);
    // Not finite, NaN among them.
    if (!(size < Infinity)) return 1;
    if (size > most) most = size;
  }
  if (most === 0) return 1;
  float[0] = most;
  // Rounded to eleven bits first: where that carries, the exponent is that of the rounded value.
  const exponent = ((bits[0]! + 0xfff + ((bits[0]! >>> 13) & 1)) >>> 23) - 127;
  return 2 ** (TOP - Math.max(LOWEST, exponent));
}
