import { isStatic } from '../../../../graph/shapes.ts';
import type { Node } from '../../../../graph/types.ts';
import type { ShortAttr } from '../../attribute.ts';
import type { Lowering } from '../context.ts';
import { NCHW } from '../layout.ts';
import { NCHWC } from './domain.ts';
import type { Phased, PictureSizes } from './phases.ts';
import { interleave } from './phases.ts';

/** A rule that may decline, and then leaves nothing behind: the plain rule follows. */
export type BlockedRule = (node: Node, b: Blocked) => boolean;

export type { PictureSizes };

/** A value is `tensor`, in blocks, times `factor`; a vector over whole blocks. */
interface Scaled {
  readonly tensor: string;
  readonly factor: string;
}

/** A value less its mean is `tensor`, in blocks, less `rest`; a vector over whole blocks, or 0. */
export interface Centred {
  readonly tensor: string;
  readonly rest: string | undefined;
}

/** A value is `tensor`, in blocks, plus `offset`; a vector over whole blocks. */
interface Shifted {
  readonly tensor: string;
  readonly offset: string;
}

/**
 * Values in blocks of `size` channels, [batch, channels / size, height, width, size] in memory, and conversions to that layout, which ONNX
 * Runtime's own convolutions for the CPU work on. Their tensors are declared [batch, channels, height, width]. Channels that fill up the
 * last block are zero.
 */
export class Blocked {
  readonly c: Lowering;
  readonly size: number;
  /** Values that a fused op computes on the way and does not give. */
  readonly absorbed = new Set<string>();
  /** A smaller tensor with the same sum over all pixels of each sample, for values that have one. */
  readonly sums = new Map<string, { readonly tensor: string; readonly pixels: number }>();
  /** Inputs of batch norms, for their gradients. */
  readonly centred = new Map<string, Centred>();
  /** Values that lie there less a number for each channel, which a batch norm takes off anyway. */
  readonly shifted = new Map<string, Shifted>();
  readonly #tensors = new Map<string, string>();
  readonly #later = new Map<string, () => string>();
  readonly #scaled = new Map<string, Scaled>();
  readonly #phased = new Map<string, Phased>();
  /** Sources of the results of Reshape nodes. */
  readonly #reshaped = new Map<string, string>();

  constructor(c: Lowering, size: number) {
    this.c = c;
    this.size = size;
  }

  /** Shape of a value that may lie in blocks: a float32 activation of fixed size, not too much of it filling. */
  sizesOf(value: string): PictureSizes | undefined {
    const type = this.c.graph.types.get(value);
    if (type?.dtype !== 'float32' || type.shape.length !== 4 || !isStatic(type.shape)) return undefined;
    const sizes = type.shape as unknown as PictureSizes;
    return sizes[0] > 0 && this.fits(sizes[3]) ? sizes : undefined;
  }

  /** ReorderInput and ReorderOutput move channels by fours; under half a block the plain layout wastes less. */
  fits(channels: number): boolean {
    return channels % 4 === 0 && channels * 2 >= this.size;
  }

  filled(channels: number): number {
    return Math.ceil(channels / this.size) * this.size;
  }

  has(value: string): boolean {
    return this.#tensors.has(value) || this.#later.has(value);
  }

  define(value: string, tensor: string): void {
    this.#tensors.set(value, tensor);
    this.c.wish(tensor, `${value}:blocked`);
    this.#deferUnblocked(value);
  }

  /** Defines `make` as the source of the value in blocks when a rule asks for the value itself. */
  defineLater(value: string, make: () => string): void {
    this.#later.set(value, make);
    this.#deferUnblocked(value);
  }

  #deferUnblocked(value: string): void {
    this.c.defer(value, (layout) => {
      const last = layout.join() !== NCHW.join();
      return { tensor: this.unblocked(value, last), layout: last ? [0, 1, 2, 3] : NCHW };
    });
  }

  /** The phases of a strided gradient, put together only when somebody needs the whole. */
  definePhased(value: string, phased: Phased): void {
    this.#phased.set(value, phased);
    this.defineLater(value, () => interleave(this, phased, this.sizesOf(value)!));
  }

  /** A value as a tensor that lacks a factor for each channel; `whole` multiplies it for those who cannot. */
  defineScaled(value: string, scaled: Scaled, whole: () => string): void {
    this.#scaled.set(value, scaled);
    this.defineLater(value, whole);
  }

  /** The value in blocks but for `factorOf`. */
  unscaled(value: string): string | undefined {
    return this.#scaled.get(value)?.tensor ?? this.get(value);
  }

  /** Factor that `unscaled` lacks: a vector over whole blocks. */
  factorOf(value: string): string | undefined {
    return this.#scaled.get(value)?.factor;
  }

  phasesOf(value: string): Phased | undefined {
    return this.#tensors.has(value) ? undefined : this.#phased.get(value);
  }

  /** The value in blocks, reordered now if need be; undefined for what cannot lie so. */
  get(value: string): string | undefined {
    const known = this.#tensors.get(value);
    if (known !== undefined) return known;
    const sizes = this.sizesOf(value);
    if (sizes === undefined) return undefined;
    const tensor = this.#later.get(value)?.() ?? this.#reordered(value, sizes);
    this.#tensors.set(value, tensor);
    this.c.wish(tensor, `${value}:blocked`);
    return tensor;
  }

  /** [batch, height, width, channels] or, if not `channelsLast`, [batch, channels, height, width]. */
  unblocked(value: string, channelsLast: boolean, tensor = this.get(value)!): string {
    const [n, h, w, c] = this.sizesOf(value)!;
    if (h * w === 1 && this.filled(c) === c)
      return this.c.reshape(tensor, [n, c, h, w], channelsLast ? [n, h, w, c] : [n, c, h, w]);
    if (channelsLast && c === this.size) return this.reshape(tensor, [n, h, w, c]);
    return this.nchwc('ReorderOutput', [tensor], { channels: c, ...(channelsLast ? { channels_last: 1 } : {}) });
  }

  /** [batch, channels, height, width], in whatever way is quickest. */
  nchw(value: string): string {
    if (!this.has(value)) return this.c.as(value, NCHW);
    return this.c.once(`nchw ${value}`, () => this.unblocked(value, false));
  }

  /** The same but for `factorOf`. */
  nchwUnscaled(value: string): string {
    const scaled = this.#scaled.get(value);
    if (scaled === undefined) return this.nchw(value);
    return this.c.once(`nchw unscaled ${value}`, () => this.unblocked(value, false, scaled.tensor));
  }

  /** [batch, height, width, channels] of a value in blocks, but for `factorOf`. */
  nhwcUnscaled(value: string): string {
    const tensor = this.unscaled(value)!;
    return this.c.once(`nhwc ${tensor}`, () => this.unblocked(value, true, tensor));
  }

  nchwc(op: string, inputs: readonly string[], attrs: Readonly<Record<string, ShortAttr>> = {}): string {
    return this.c.one(op, inputs, attrs, NCHWC);
  }

  /** One node however often it is asked for, and however often `tensor` was reshaped before: in small nets each node costs its call. */
  reshape(tensor: string, to: readonly number[]): string {
    const source = this.#reshaped.get(tensor) ?? tensor;
    return this.c.once(`reshape ${source} ${to.join()}`, () => {
      const made = this.c.one('Reshape', [source, this.c.ints(to)]);
      this.#reshaped.set(made, source);
      return made;
    });
  }

  /** A constant tensor of one value. */
  constant(dims: readonly number[], value: number): string {
    const count = dims.reduce((product, dim) => product * dim, 1);
    return this.c.initializer('float32', dims, new Float32Array(count).fill(value));
  }

  /** A vector [channels] filled up with zeros to whole blocks. */
  filledVector(vector: string, channels: number): string {
    const more = this.filled(channels) - channels;
    if (more === 0) return vector;
    return this.c.once(`filled ${vector}`, () => this.c.one('Pad', [vector, this.c.ints([0, more])]));
  }

  /** The first `channels` of a vector over whole blocks. */
  cutVector(vector: string, channels: number): string {
    if (this.filled(channels) === channels) return vector;
    return this.c.one('Slice', [vector, this.c.ints([0]), this.c.ints([channels])]);
  }

  #reordered(value: string, [n, h, w, c]: PictureSizes): string {
    const layouts = this.c.layoutsOf(value).map((layout) => layout.join());
    const first = layouts.includes(NCHW.join()) && !layouts.includes('0,1,2,3');
    if (first) return this.nchwc('ReorderInput', [this.c.as(value, NCHW)]);
    const plain = this.c.plain(value);
    if (c === this.size) return this.reshape(plain, [n, c, h, w]);
    return this.nchwc('ReorderInput', [plain], { channels_last: 1 });
  }
}
