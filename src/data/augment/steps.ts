import type { RandomStream } from '../../base/random.ts';
import type { Geometry } from './geometry.ts';
import { unitOf } from './image.ts';
import type { StepContext } from './image.ts';
import { rotate } from './rotate.ts';
import { mirrorHorizontally, mirrorVertically, translate } from './translate.ts';

/**
 * Function that changes one normalized image, [height, width, channels], in place; `random` is its only source of randomness. Given a geometry in place
 * of an image, it adds the map of the change that it would make with the same random numbers, if that moves pixels.
 */
export type ImageStep = (image: Float32Array | Geometry, random: RandomStream) => void;

export function shiftStep(context: StepContext, distance: number): ImageStep {
  const reach = Math.floor(distance);
  const [down, across] = unitOf(context);
  const scratch = new Float32Array(context.height * context.width * context.channels);
  return (image, random) => {
    const dy = random.below(2 * reach + 1) - reach;
    const dx = random.below(2 * reach + 1) - reach;
    if (dy !== 0 || dx !== 0) translate(image, scratch, context, Math.round(dy * down), Math.round(dx * across));
  };
}

export function flipStep(context: StepContext, direction: 'horizontal' | 'vertical'): ImageStep {
  const mirror = direction === 'horizontal' ? mirrorHorizontally : mirrorVertically;
  return (image, random) => {
    if (random.below(2) === 1) mirror(image, context);
  };
}

export function rotateStep(context: StepContext, degrees: number): ImageStep {
  const scratch = new Float32Array(context.height * context.width * context.channels);
  return (image, random) => {
    rotate(image, scratch, context, ((2 * random.uniform() - 1) * degrees * Math.PI) / 180);
  };
}

/** Fills a square with 0, as in the paper. Its centre may be anywhere in the image, so the square may reach over the border. */
export function cutoutStep(context: StepContext, side: number): ImageStep {
  const { height, width, channels, drawn = context } = context;
  const [down, across] = unitOf(context);
  return (image, random) => {
    const top = random.below(drawn.height) - Math.floor(side / 2);
    const left = random.below(drawn.width) - Math.floor(side / 2);
    if (Array.isArray(image)) return;
    const within = (at: number, unit: number, size: number): number =>
      Math.min(size, Math.max(0, Math.round(at * unit)));
    const [from, to] = [within(left, across, width), within(left + side, across, width)];
    for (let y = within(top, down, height); y < within(top + side, down, height); y++) {
      image.fill(0, (y * width + from) * channels, (y * width + to) * channels);
    }
  };
}
