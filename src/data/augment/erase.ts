import { drawBox, scaledBox } from './boxes.ts';
import { unitOf } from './image.ts';
import type { StepContext } from './image.ts';
import type { ImageStep } from './steps.ts';

/** Share of the images, shares of the area, and ratios of width to height, of the box, as in the paper. */
const [PROBABILITY, AREA, RATIO] = [0.5, [0.02, 0.4], [0.3, 1 / 0.3]] as const;

/**
 * Zhong et al. 2020, "Random erasing data augmentation", algorithm 1: fills a box of some images with noise between the darkest and the brightest
 * value of the image.
 */
export function eraseStep(context: StepContext): ImageStep {
  const { width, channels, drawn = context } = context;
  const unit = unitOf(context);
  return (image, random) => {
    if (random.uniform() >= PROBABILITY) return;
    const box = drawBox(drawn, AREA, RATIO, random);
    if (box === undefined) return;
    const noise = Float64Array.from({ length: box.height * box.width * drawn.channels }, () => random.uniform());
    if (Array.isArray(image)) return;
    let [low, high] = [Infinity, -Infinity];
    for (const value of image) [low, high] = [Math.min(low, value), Math.max(high, value)];
    const scaled = scaledBox(box, unit);
    for (let y = 0; y < scaled.height; y++) {
      const row = Math.floor((y * box.height) / scaled.height) * box.width;
      for (let x = 0; x < scaled.width; x++) {
        const from = (row + Math.floor((x * box.width) / scaled.width)) * drawn.channels;
        const at = ((scaled.top + y) * width + scaled.left + x) * channels;
        for (let c = 0; c < channels; c++)
          image[at + c] = low + (high - low) * noise[from + Math.min(c, drawn.channels - 1)]!;
      }
    }
  };
}
