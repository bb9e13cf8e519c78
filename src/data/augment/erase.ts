import type { AugmentStep } from '../config.ts';
import { drawBox } from './boxes.ts';
import type { StepContext } from './image.ts';
import type { ImageStep } from './steps.ts';

export type Erase = Extract<AugmentStep, { erase: unknown }>['erase'];

/**
 * Zhong et al. 2020, "Random erasing data augmentation", algorithm 1: a box of some of the images becomes noise, each value between
 * the darkest and the brightest of the image.
 */
export function eraseStep(context: StepContext, { probability, area, ratio }: Erase): ImageStep {
  const { width, channels } = context;
  return (image, random) => {
    if (random.uniform() >= (probability ?? 0.5)) return;
    const box = drawBox(context, area ?? [0.02, 0.4], ratio ?? [0.3, 1 / 0.3], random);
    if (box === undefined) return;
    let [low, high] = [Infinity, -Infinity];
    for (const value of image) [low, high] = [Math.min(low, value), Math.max(high, value)];
    for (let y = box.top; y < box.top + box.height; y++) {
      const start = (y * width + box.left) * channels;
      for (let i = start; i < start + box.width * channels; i++) image[i] = low + (high - low) * random.uniform();
    }
  };
}
