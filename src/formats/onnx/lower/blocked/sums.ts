import type { Blocked, PictureSizes } from './context.ts';

/** Means over the pixels of each sample: [batch, channels filled up to whole blocks]. */
export function pixelMeans(b: Blocked, tensor: string, batch: number, channels: number): string {
  return b.reshape(pooled(b, tensor), [batch, b.filled(channels)]);
}

/** Sums over samples and pixels: a vector over whole blocks. */
export function channelSums(b: Blocked, value: string): string {
  return b.c.once(`channel sums ${value}`, () => {
    const sizes = b.sizesOf(value)!;
    const { tensor, pixels } = b.sums.get(value) ?? { tensor: b.get(value)!, pixels: sizes[1] * sizes[2] };
    const sum = b.c.reduce('ReduceSum', pooled(b, tensor), [0, 2, 3], false);
    return b.c.one('Mul', [sum, b.c.scalar('float32', pixels)]);
  });
}

/** Means over samples and pixels of a tensor in blocks: a vector over whole blocks. */
export function channelMeans(b: Blocked, tensor: string): string {
  return b.c.reduce('ReduceMean', pooled(b, tensor), [0, 2, 3], false);
}

/** Σ one · other over samples and pixels, of blocked tensors: each channel of each sample is a group with one output. */
export function channelProducts(b: Blocked, one: string, other: string, [n, h, w, depth]: PictureSizes): string {
  const channels = b.filled(depth);
  const group = n * channels;
  const image = b.reshape(one, [1, group, 1, h * w]);
  const kernel = b.reshape(other, [group, 1, 1, h * w]);
  const products = b.nchwc('Conv', [image, kernel], { group, kernel_shape: [1, h * w] });
  return b.c.reduce('ReduceSum', b.reshape(products, [n, channels]), [0], false);
}

/** Means over the pixels of each sample, [batch, channels filled up to whole blocks, 1, 1]. */
function pooled(b: Blocked, tensor: string): string {
  return b.c.once(`pixel means ${tensor}`, () => b.nchwc('GlobalAveragePool', [tensor]));
}
