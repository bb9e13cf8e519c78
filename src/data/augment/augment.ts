import { UserError } from '../../base/errors.ts';
import type { RandomStream } from '../../base/random.ts';
import type { AugmentStep } from '../config.ts';
import { isImageShape, isSoundShape } from '../dataset.ts';
import type { Backgrounds, Normalization } from '../dataset.ts';
import { normalized } from '../normalized.ts';
import type { Geometry } from './geometry.ts';
import { imageShape } from './image.ts';
import type { StepContext } from './image.ts';
import { eraseStep } from './erase.ts';
import { isMix } from './kinds.ts';
import { randAugmentStep } from './rand-augment.ts';
import { resizedCropStep } from './resized-crop.ts';
import { sequenceStep } from './sequence.ts';
import { soundStep } from './sound.ts';
import { cutoutStep, flipStep, rotateStep, shiftStep } from './steps.ts';
import type { ImageStep } from './steps.ts';

/** Function that augments one normalized sample in place; or adds the maps of the same changes to a geometry, see `ImageStep`. */
export type Augmenter = (sample: Float32Array | Geometry, random: RandomStream) => void;

/**
 * Combines the steps that change single samples; undefined if there are none. (Other steps work on batches.) `drawnIn`: see `StepContext`.
 * `backgrounds`: see `Dataset`.
 */
export function createAugmenter(
  steps: readonly AugmentStep[],
  shape: readonly number[],
  normalization: Normalization,
  drawnIn: readonly number[] = shape,
  backgrounds?: Backgrounds,
): Augmenter | undefined {
  const single = steps.filter((step) => !isMix(step));
  if (single.length === 0) return undefined;
  if (shape.length === 2) return sequenceAugmenter(single, shape as readonly [number, number], backgrounds);
  const [first] = single;
  if (!isImageShape(shape)) {
    throw new UserError(
      `augment: ${nameOf(first!)} changes ${changed(first!)}, but a sample is [${shape.join(', ')}]`,
      SEQUENCES.has(nameOf(first!))
        ? 'Remove it, or cut a table in time into windows with `dataset.window`.'
        : 'Remove it, or set `shape: [height, width, channels]` if the columns are pixels.',
    );
  }
  const [height, width, channels] = shape;
  const drawn = imageShape(drawnIn);
  const black = normalized(new Float32Array(normalization.mean.length), normalization);
  const functions = single.map((step) => imageStep(step, { height, width, channels, black, drawn }, normalization));
  return (sample, random) => {
    for (const apply of functions) apply(sample, random);
  };
}

/** Augmenter of samples [steps, channels]. With one channel they may be sounds. */
function sequenceAugmenter(
  steps: readonly AugmentStep[],
  shape: readonly [steps: number, channels: number],
  backgrounds: Backgrounds | undefined,
): Augmenter {
  const isSound = isSoundShape(shape);
  const functions = steps.map((step) => {
    const apply = (isSound ? soundStep(step, shape[0], backgrounds) : undefined) ?? sequenceStep(step, ...shape);
    if (apply !== undefined) return apply;
    throw new UserError(
      `augment: ${nameOf(step)} changes ${changed(step)}, but a sample is ${isSound ? 'a sound or ' : ''}a sequence [${shape.join(', ')}]`,
      `${isSound ? `Sounds are changed by ${[...SOUNDS].join(', ')}. ` : ''}Sequences are changed by ${[...SEQUENCES].join(', ')}. Mixup mixes both.`,
    );
  });
  return (sample, random) => {
    if (Array.isArray(sample))
      throw new UserError(
        `augment: ${nameOf(steps[0]!)} changes ${changed(steps[0]!)}, and the targets lie in pictures`,
        'Remove it: a target that lies in a picture moves with flip, crop, rotate and other changes of pictures.',
      );
    for (const apply of functions) apply(sample, random);
  };
}

/** Steps for sounds, and for sequences. */
const SOUNDS: ReadonlySet<string> = new Set(['timeShift', 'gain', 'noise', 'background']);
const SEQUENCES: ReadonlySet<string> = new Set(['jitter', 'scaling', 'timeWarp', 'timeCrop', 'channelDropout']);

/** True for a step that only pictures can have. */
export function changesPictures(step: AugmentStep): boolean {
  return !('mixup' in step) && changed(step) === 'images';
}

function changed(step: AugmentStep): 'images' | 'sounds' | 'sequences' {
  return SOUNDS.has(nameOf(step)) ? 'sounds' : SEQUENCES.has(nameOf(step)) ? 'sequences' : 'images';
}

function nameOf(step: AugmentStep): string {
  return Object.keys(step).join();
}

function imageStep(step: AugmentStep, context: StepContext, normalization: Normalization): ImageStep {
  if ('shift' in step) return shiftStep(context, step.shift);
  if ('crop' in step) return shiftStep(context, step.crop);
  if ('flip' in step) return flipStep(context, step.flip);
  if ('rotate' in step) return rotateStep(context, step.rotate);
  if ('cutout' in step) return cutoutStep(context, step.cutout);
  if ('resizedCrop' in step) return resizedCropStep(context, step.resizedCrop);
  if ('erase' in step) return eraseStep(context);
  if ('randAugment' in step) return randAugmentStep(context, step.randAugment, normalization);
  throw new UserError(
    `augment: ${nameOf(step)} changes ${changed(step)}, but a sample is [${[context.height, context.width, context.channels].join(', ')}]`,
    SEQUENCES.has(nameOf(step))
      ? `Remove it: ${[...SEQUENCES].join(', ')} are for samples [steps, channels].`
      : 'Remove it: timeShift, gain, noise and background are for `type: audio-folder`.',
  );
}
