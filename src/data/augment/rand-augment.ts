import type { RandomStream } from '../../base/random.ts';
import { UserError } from '../../base/errors.ts';
import type { AugmentStep } from '../config.ts';
import type { Normalization } from '../dataset.ts';
import { normalized } from '../normalized.ts';
import { affine } from './affine.ts';
import type { Geometry } from './geometry.ts';
import type { StepContext } from './image.ts';
import * as pixels from './pixels.ts';
import { rotate } from './rotate.ts';
import type { ImageStep } from './steps.ts';

export type RandAugment = Extract<AugmentStep, { randAugment: unknown }>['randAugment'];

/** Largest magnitude, see torchvision's `RandAugment(num_magnitude_bins=31)`. */
const MOST = 30;

type Operation = (image: Float32Array | Geometry, scratch: Float32Array, context: StepContext, share: number) => void;

/** An operation that keeps pixels in their places. */
const change =
  (of: (share: number) => pixels.PixelChange): Operation =>
  (image, _scratch, context, share) => {
    if (!Array.isArray(image)) of(share)(image, context);
  };

const moved =
  (
    matrixOf: (share: number) => readonly [number, number],
    shift?: (context: StepContext) => [number, number],
  ): Operation =>
  (image, scratch, context, share) => {
    const [xy, yx] = matrixOf(share);
    const [dx, dy] = shift?.(context) ?? [0, 0];
    const matrix = [
      [1, xy],
      [yx, 1],
    ] as const;
    affine(image, scratch, context, { matrix, shift: [dx * share, dy * share] });
  };

/** The fourteen operations of the paper. Their strength is a share of the maximum: from -1 to 1 with a sign, else from 0 to 1. */
export const OPERATIONS: Readonly<Record<string, { readonly isSigned?: true; readonly apply: Operation }>> = {
  identity: { apply: () => undefined },
  autoContrast: { apply: change(() => pixels.autoContrast) },
  equalize: { apply: change(() => pixels.equalizeHistogram) },
  rotate: {
    isSigned: true,
    apply: (image, scratch, context, share) => rotate(image, scratch, context, (share * Math.PI) / 6),
  },
  solarize: { apply: change((share) => pixels.solarize(1 - share)) },
  posterize: { apply: change((share) => pixels.posterize(8 - Math.round(4 * share))) },
  colour: { isSigned: true, apply: change((share) => pixels.colour(1 + 0.9 * share)) },
  contrast: { isSigned: true, apply: change((share) => pixels.contrast(1 + 0.9 * share)) },
  brightness: { isSigned: true, apply: change((share) => pixels.brightness(1 + 0.9 * share)) },
  sharpness: { isSigned: true, apply: change((share) => pixels.sharpness(1 + 0.9 * share)) },
  shearX: { isSigned: true, apply: moved((share) => [0.3 * share, 0]) },
  shearY: { isSigned: true, apply: moved((share) => [0, 0.3 * share]) },
  translateX: {
    isSigned: true,
    apply: moved(
      () => [0, 0],
      ({ width }) => [(150 / 331) * width, 0],
    ),
  },
  translateY: {
    isSigned: true,
    apply: moved(
      () => [0, 0],
      ({ height }) => [0, (150 / 331) * height],
    ),
  },
};

/**
 * Cubuk et al. 2020, "RandAugment: practical automated data augmentation with a reduced search space": random operations in sequence, all at one
 * magnitude. Strengths are torchvision's; shears are about the centre, and bilinear. Operations work on values from black to white, so the 8-bit
 * scale of the image must be known.
 */
export function randAugmentStep(
  context: StepContext,
  { operations, magnitude }: RandAugment,
  normalization: Normalization,
): ImageStep {
  const { mean, std } = unitNormalization(normalization);
  const scratch = new Float32Array(context.height * context.width * context.channels);
  const seen = { ...context, black: new Float32Array(context.channels) };
  const names = Object.keys(OPERATIONS);
  return (image, random) => {
    if (!Array.isArray(image)) convert(image, (value, c) => value * std[c]! + mean[c]!, context.channels);
    for (let i = 0; i < (operations ?? 2); i++) {
      const { isSigned, apply } = OPERATIONS[names[random.below(names.length)]!]!;
      apply(image, scratch, seen, signed((magnitude ?? 9) / MOST, isSigned, random));
    }
    if (!Array.isArray(image)) normalized(image, { scale: 1, mean, std }, undefined, image);
  };
}

function signed(share: number, isSigned: true | undefined, random: RandomStream): number {
  return isSigned === true && random.below(2) === 1 ? -share : share;
}

function convert(image: Float32Array, by: (value: number, channel: number) => number, channels: number): void {
  for (let i = 0; i < image.length; i++) image[i] = by(image[i]!, i % channels);
}

/** Mean and deviation for values on a scale from 0 to 1 (white). */
function unitNormalization({ scale, mean, std }: Normalization): Pick<Normalization, 'mean' | 'std'> {
  if (Math.abs(scale * 255 - 1) < 1e-6) return { mean, std };
  throw new UserError(
    `augment: randAugment: expected images of 8 bits, whose values are scaled by 1/255, received a scale of ${scale}`,
    'Use images of 8 bits, or other augmentations.',
  );
}
