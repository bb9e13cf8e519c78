import type { Blocked, Sizes } from './context.ts';

/** Means over the pixels of each sample: [batch, channels filled up to whole blocks]. */
export function pixelMeans(b: Blocked, tensor: string, batch: number, channels: number): string {
  return b.c.once(`pixel means ${tensor}`, () =>
    b.reshape(b.nchwc('GlobalAveragePool', [tensor]), [batch, b.filled(channels)]),
  );
}

/** Sums over samples and pixels: a vector over whole blocks. */
export function channelSums(b: Blocked, value: string): string {
  return b.c.once(`channel sums ${value}`, () => {
    const sizes = b.sizesOf(value)!;
    const { tensor, pixels } = b.sums.get(value) ?? { tensor: b.get(value)!, pixels: sizes[1] * sizes[2] };
    return tensorSums(b, tensor, sizes, pixels);
  });
}

/** The same of a tensor in blocks. */
export function tensorSums(b: Blocked, tensor: string, [n, h, w, channels]: Sizes, pixels = h * w): string {
  const sum = overBatch(b, pixelMeans(b, tensor, n, channels));
  return b.c.one('Mul', [sum, b.c.scalar('float32', pixels)]);
}

/** Σ one · other over samples and pixels, of blocked tensors: each channel of each sample is a group with one output. */
export function channelProducts(b: Blocked, one: string, other: string, [n, h, w, depth]: Sizes): string {
  const channels = b.filled(depth);
  const group = n * channels;
  const image = b.reshape(one, [1, group, 1, h * w]);
  const kernel = b.reshape(other, [group, 1, 1, h * w]);
  const products = b.nchwc('Conv', [image, kernel], { group, kernel_shape: [1, h * w] });
  return overBatch(b, b.reshape(products, [n, channels]));
}

function overBatch(b: Blocked, matrix: string): string {
  return b.c.one('ReduceSum', [matrix, b.c.ints([0])], { keepdims: 0 });
}
