/** Looked up once: inside jest's sandbox every mention of a global costs a microsecond. */
const { imul, floor, log, sqrt, sin, cos, PI } = Math;

/**
 * Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011). A stream is a pure function of
 * its key, so a resumed run draws the numbers of an uninterrupted one, in whatever order stages, steps and workers ask for them.
 */
export class Philox {
  readonly #k0: number;
  readonly #k1: number;
  readonly #c2: number;
  readonly #c3: number;
  #counter = 0;
  readonly #block = new Uint32Array(4);
  #used = 4;
  #spare: number | undefined;

  /** `key`: 16 bytes or more, such as a hash. */
  constructor(key: Uint8Array) {
    const word = (at: number): number => new DataView(key.buffer, key.byteOffset, key.byteLength).getUint32(at, true);
    this.#k0 = word(0);
    this.#k1 = word(4);
    this.#c2 = word(8);
    this.#c3 = word(12);
  }

  /**
   * Jumps to the start of substream `index` (0 … 2^32 - 1). Substreams are 2^20 blocks apart, 4 million numbers each, so that one key serves many
   * samples: a new key costs a SHA-256, a jump costs nothing.
   */
  seek(index: number): this {
    this.#counter = index * 0x100000;
    this.#used = 4;
    this.#spare = undefined;
    return this;
  }

  /** Skips the first `count` numbers of a fresh stream. */
  skip(count: number): this {
    this.#counter += floor(count / 4);
    for (let i = 0; i < count % 4; i++) this.uint32();
    return this;
  }

  /** An unsigned 32-bit integer. */
  uint32(): number {
    if (this.#used === 4) {
      philox(this.#block, this.#counter, this.#c2, this.#c3, this.#k0, this.#k1);
      this.#counter++;
      this.#used = 0;
    }
    return this.#block[this.#used++]!;
  }

  /** Uniform in [0, 1), 24 bits: every value is exact in float32. */
  uniform(): number {
    return (this.uint32() >>> 8) / 0x1000000;
  }

  /** Fills `out` with the numbers of that many calls of `uniform`, faster; `fillBlocks`: a faster implementation with the same numbers. */
  fillUniform(out: Float32Array, fillBlocks: FillBlocks = fillUniformBlocks): void {
    let i = 0;
    for (; i < out.length && this.#used !== 4; i++) out[i] = this.uniform();
    const blocks = floor((out.length - i) / 4);
    const first = { counter: this.#counter, c2: this.#c2, c3: this.#c3, k0: this.#k0, k1: this.#k1 };
    if (blocks > 0) fillBlocks(out.subarray(i, i + 4 * blocks), first);
    this.#counter += blocks;
    for (i += 4 * blocks; i < out.length; i++) out[i] = this.uniform();
  }

  /** Uniform integer in [0, bound), without modulo bias (rejection). */
  below(bound: number): number {
    const limit = 0x100000000 - (0x100000000 % bound);
    for (;;) {
      const value = this.uint32();
      if (value < limit) return value % bound;
    }
  }

  /** Standard normal (Box-Muller). */
  normal(): number {
    if (this.#spare !== undefined) {
      const value = this.#spare;
      this.#spare = undefined;
      return value;
    }
    const radius = sqrt(-2 * log(1 - this.uniform()));
    const angle = 2 * PI * this.uniform();
    this.#spare = radius * sin(angle);
    return radius * cos(angle);
  }

  /** Fisher-Yates permutation of 0 … n-1. */
  permutation(n: number): Uint32Array {
    const order = Uint32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const swap = order[i]!;
      order[i] = order[j]!;
      order[j] = swap;
    }
    return order;
  }
}

/** Inputs of Philox for a block of four numbers: its counter, of up to 53 bits, and four words that are constant in a stream. */
export interface Block {
  readonly counter: number;
  readonly c2: number;
  readonly c3: number;
  readonly k0: number;
  readonly k1: number;
}

/** Fills `out`, whose length is a multiple of four, with numbers in [0, 1) of the block `first` and its successors. */
export type FillBlocks = (out: Float32Array, first: Block) => void;

const fillUniformBlocks: FillBlocks = (out, { counter, c2, c3, k0, k1 }) => {
  const block = new Uint32Array(4);
  for (let i = 0; i < out.length; i += 4) {
    philox(block, counter++, c2, c3, k0, k1);
    out[i] = (block[0]! >>> 8) / 0x1000000;
    out[i + 1] = (block[1]! >>> 8) / 0x1000000;
    out[i + 2] = (block[2]! >>> 8) / 0x1000000;
    out[i + 3] = (block[3]! >>> 8) / 0x1000000;
  }
};

/** Uses 32-bit integers, which V8 computes fast; `out` makes them unsigned. */
function philox(out: Uint32Array, counter: number, c2: number, c3: number, key0: number, key1: number): void {
  let x0 = counter | 0;
  let x1 = floor(counter / 0x100000000) | 0;
  let x2 = c2 | 0;
  let x3 = c3 | 0;
  let k0 = key0 | 0;
  let k1 = key1 | 0;
  for (let round = 0; round < 10; round++) {
    const hi0 = multiplyHigh(0xd251, 0x1f53, x0);
    const lo0 = imul(0xd2511f53, x0);
    const hi1 = multiplyHigh(0xcd9e, 0x8d57, x2);
    const lo1 = imul(0xcd9e8d57, x2);
    x0 = hi1 ^ x1 ^ k0;
    x1 = lo1;
    x2 = hi0 ^ x3 ^ k1;
    x3 = lo0;
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  out[0] = x0;
  out[1] = x1;
  out[2] = x2;
  out[3] = x3;
}

/** Upper 32 bits of the product of two unsigned 32-bit integers, the first given in halves of 16 bits. */
function multiplyHigh(aHigh: number, aLow: number, b: number): number {
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = (imul(aHigh, bLow) + (imul(aLow, bLow) >>> 16)) | 0;
  const carry = (imul(aLow, bHigh) + (middle & 0xffff)) | 0;
  return (imul(aHigh, bHigh) + (middle >>> 16) + (carry >>> 16)) | 0;
}
