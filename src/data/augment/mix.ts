import { UserError } from '../../base/errors.ts';
import { RandomStream } from '../../base/random.ts';
import type { AugmentStep } from '../config.ts';
import { isImageShape } from '../dataset.ts';
import { cutmix } from './cutmix.ts';
import { imageShape } from './image.ts';
import { mixesBatch } from './kinds.ts';
import { mixup } from './mixup.ts';
import type { Mixing } from './mixup.ts';

/** Draws the mixture of a batch of `n` samples; `index`: number of the batch in the epoch. */
export type Mixer = (n: number, index: number) => Mixing;

/** Combines the steps that mix samples; undefined if there are none. With two steps, each batch gets a random one. */
export function createMixer(
  steps: readonly AugmentStep[],
  shape: readonly number[],
  seed: number,
  epoch: number,
  drawn: readonly number[] = shape,
): Mixer | undefined {
  const mixers = steps.filter(mixesBatch).map((step) => mixerOf(step, shape, seed, epoch, drawn));
  if (mixers.length < 2) return mixers[0];
  const choices = new RandomStream(seed, 'mix', epoch);
  return (n, index) => mixers[choices.seek(index).below(mixers.length)]!(n, index);
}

function mixerOf(
  step: AugmentStep,
  shape: readonly number[],
  seed: number,
  epoch: number,
  drawn: readonly number[],
): Mixer {
  if ('mixup' in step) {
    const random = new RandomStream(seed, 'mixup', epoch);
    return (n, index) => mixup(n, step.mixup, random.seek(index));
  }
  if (!('cutmix' in step)) throw new Error(`no mix ${JSON.stringify(step)}`);
  if (!isImageShape(shape)) {
    throw new UserError(
      `augment: cutmix cuts boxes out of images, but a sample is [${shape.join(', ')}]`,
      'Use mixup, or set `shape: [height, width, channels]` if the columns are pixels.',
    );
  }
  const random = new RandomStream(seed, 'cutmix', epoch);
  return (n, index) => cutmix(n, imageShape(shape), step.cutmix, random.seek(index), imageShape(drawn));
}
