import { z } from 'zod';
import { count, file, fraction } from './parts.ts';

/** [minimum, maximum], both above 0. */
const range = (most: number) =>
  z
    .tuple([z.number().gt(0).max(most), z.number().gt(0).max(most)])
    .refine(([low, high]) => low <= high, { error: 'the first is the smaller one' });

/** [minimum, maximum] of a ratio, in decibels. */
const decibels = z
  .tuple([z.number().min(-40).max(100), z.number().min(-40).max(100)])
  .refine(([low, high]) => low <= high, { error: 'the first is the smaller one' });

/** Changes of a single picture; shapes are the sample's. */
const ofPictures = [
  z.strictObject({ shift: z.number().min(0).describe('Shift by up to this many pixels each way.') }),
  z.strictObject({
    crop: z.number().min(0).describe('Pad on all sides by this many pixels, then cut out the original size at random.'),
  }),
  z.strictObject({ flip: z.enum(['horizontal', 'vertical']).describe('Mirror half of the samples.') }),
  z.strictObject({ rotate: z.number().min(0).max(180).describe('Rotate by up to this many degrees each way.') }),
  z.strictObject({ cutout: count.describe('Blank a square of this side.') }),
  z.strictObject({
    resizedCrop: z
      .strictObject({
        area: range(1).optional().describe('Share of the area; default: [0.08, 1].'),
        ratio: range(100).optional().describe('Width / height; default: [0.75, 1.333].'),
      })
      .describe('Cut out a random part of the image and resize it to the whole size.'),
  }),
  z.strictObject({
    erase: z.strictObject({}).describe('Fill a random box of half of the samples with noise.'),
  }),
  z.strictObject({
    randAugment: z
      .strictObject({
        operations: count.max(20).optional().describe('Number of operations, one after another; default: 2.'),
        magnitude: z.number().min(0).max(30).optional().describe('Strength of the operations, up to 30; default: 9.'),
      })
      .describe('Random operations out of fourteen: turn, shear, move, contrast, colour, and the like.'),
  }),
] as const;

const ofSounds = [
  z.strictObject({
    timeShift: z.number().gt(0).max(1).describe('Sounds: shift in time by up to this share of their length each way.'),
  }),
  z.strictObject({
    gain: z.number().gt(0).max(60).describe('Sounds: change the volume by up to this many decibels.'),
  }),
  z.strictObject({
    noise: decibels.describe('Sounds: add white noise, at a signal-to-noise ratio between these two, in decibels.'),
  }),
] as const;

const background = z.strictObject({
  background: z
    .strictObject({
      folder: file.describe('Folder of WAV files; each sample gets a random stretch of a file.'),
      ratio: decibels.default([0, 30]).describe('Signal-to-noise ratio between these two, in decibels.'),
      probability: fraction.default(1).describe('Share of the samples.'),
    })
    .describe('Sounds: add recorded noise from a folder, such as of streets and kitchens.'),
});

const ofSequences = [
  z.strictObject({
    jitter: z.number().gt(0).max(10).describe('Sequences: add noise of this deviation to each normalized value.'),
  }),
  z.strictObject({
    scaling: z
      .number()
      .gt(0)
      .max(10)
      .describe('Sequences: multiply each channel by a factor around 1, of this deviation.'),
  }),
  z.strictObject({
    timeWarp: z
      .number()
      .gt(0)
      .max(10)
      .describe('Sequences: let time run faster and slower, at speeds around 1 of this deviation.'),
  }),
  z.strictObject({
    timeCrop: z
      .number()
      .gt(0)
      .lt(1)
      .describe(
        'Sequences: cut out a random stretch of at least this share of the steps, and stretch it to all of them.',
      ),
  }),
  z.strictObject({
    channelDropout: z
      .number()
      .gt(0)
      .lt(1)
      .describe('Sequences: set each channel of a sample to 0, normalized its mean, with this probability.'),
  }),
] as const;

/** Changes of several samples at once. */
const ofSeveral = [
  z.strictObject({
    cutmix: z
      .number()
      .gt(0)
      .describe('Paste a box of another sample into each sample, with an area from Beta(cutmix, cutmix).'),
  }),
  z.strictObject({
    mosaic: z
      .strictObject({ probability: fraction.optional().describe('Share of the samples; default: 0.5.') })
      .describe(
        'Detection: show the sample and three others as one picture, with the boxes of all four, in the first 85 % of the training.',
      ),
  }),
  z.strictObject({ mixup: z.number().gt(0).describe('Mix two samples, with a weight from Beta(mixup, mixup).') }),
] as const;

const DOC = 'One random change of a training sample.';
const steps = [...ofPictures, ...ofSounds, ...ofSequences, ...ofSeveral] as const;

/** One step of the strong view of a picture. */
export const pictureStep = z.union(ofPictures).describe(DOC);

/** One augmentation step of a teacher that the recipe trains. */
export const teacherStep = z.union(steps).describe(DOC);

/** One augmentation step. */
export const augmentStep = z.union([...steps, background]).describe(DOC);
