import type { RandomStream } from '../../base/random.ts';
import type { ImageShape } from './image.ts';
import { beta } from './mixup.ts';
import type { Mixing } from './mixup.ts';

/**
 * Yun et al. 2019, "CutMix: regularization strategy to train strong classifiers with localizable features", section 3.2: a box of each sample comes
 * from another sample of the batch. The box may reach over the border; the label counts the covered pixels. One box a sample, drawn in pixels of
 * `drawn`.
 */
export function cutmix(
  n: number,
  { height, width, channels }: ImageShape,
  alpha: number,
  random: RandomStream,
  drawn: Pick<ImageShape, 'height' | 'width'> = { height, width },
): Mixing {
  const partners = Int32Array.from(random.permutation(n));
  const boxes = Array.from({ length: n }, () => {
    const side = Math.sqrt(1 - beta(alpha, random));
    const [top, bottom] = span(drawn.height, side, random, height / drawn.height);
    const [left, right] = span(drawn.width, side, random, width / drawn.width);
    return { top, bottom, left, right };
  });
  const lambda = Float32Array.from(
    boxes,
    ({ top, bottom, left, right }) => 1 - ((bottom - top) * (right - left)) / (height * width),
  );
  const size = height * width * channels;
  const apply = (x: Float32Array): void => {
    const plain = x.slice(0, n * size);
    for (const [i, { top, bottom, left, right }] of boxes.entries()) {
      const from = partners[i]! * size;
      for (let y = top; y < bottom; y++) {
        const [start, end] = [(y * width + left) * channels, (y * width + right) * channels];
        x.set(plain.subarray(from + start, from + end), i * size + start);
      }
    }
  };
  return { mix: { partners, lambda }, apply };
}

/** Start and end of a piece with this share of a side. */
function span(length: number, share: number, random: RandomStream, unit: number): [number, number] {
  const half = Math.floor((length * share) / 2);
  const centre = random.below(length);
  return [Math.round(Math.max(0, centre - half) * unit), Math.round(Math.min(length, centre + half) * unit)];
}
