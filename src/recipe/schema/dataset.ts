import { z } from 'zod';
import { keysOfAnswers } from '../answer-forms.ts';
import { dataType } from '../data-types.ts';
import type { DataTypeName } from '../data-types.ts';
import type { KeyRule } from '../rule.ts';
import { taskNames } from '../task.ts';
import { augmentStep } from './augment.ts';
import { count, file, files, sampleShape, seed } from './parts.ts';
import { textOfColumns, textOfFiles } from './text.ts';

const normalize = z.union([
  z.enum(['none', 'unit', 'standard']),
  z.strictObject({
    mean: z.union([z.number(), z.array(z.number()).min(1)]),
    std: z.union([z.number().gt(0), z.array(z.number().gt(0)).min(1)]),
    scale: z
      .number()
      .gt(0)
      .optional()
      .describe('Factor that values are multiplied by before the mean is subtracted. Default: 1/255 for 8-bit images.'),
  }),
]);

/** Keys of every data set type; `source`: schema of a split's files. */
function common<S extends z.ZodType, U extends z.ZodType>(source: S, unlabelled: U) {
  return {
    task: z
      .enum(taskNames())
      .optional()
      .describe(
        'Question about a sample: its class, numbers, any of several labels, a tag for each of its words, a class for each of its pixels, boxes around objects, the places of points, a vector to search with, or one whose cosines say how alike two texts are; default: classification.',
      ),
    train: source.describe('Files of the training split.'),
    test: source.optional().describe('Files of the test split, which is used once, at the end.'),
    validation: z
      .union([z.number().gt(0), source])
      .default(0.1)
      .describe('Validation split: a fraction of train, a number of samples, or files of its own.'),
    testFraction: z.number().gt(0).lt(1).optional().describe('Fraction of train to hold out as test, without `test`.'),
    unlabelled: unlabelled
      .optional()
      .describe(
        'Samples without labels, added to train: the student learns the answers of the teacher. Labels in these files are not read.',
      ),
    labelled: z
      .int()
      .min(0)
      .optional()
      .describe(
        'Number of samples of train that keep their label; 0: no labels are read, and scores are agreement with the teacher. Default: all.',
      ),
    splitSeed: seed
      .default(1)
      .describe(
        'Seed of the choice of held-out samples; independent of `seed`, so that teacher and student hold out the same samples.',
      ),
    limit: count.optional().describe('At most this many samples of each split, to try a recipe out; default: all.'),
    classes: z.array(z.string().min(1)).min(2).optional().describe('Class names in index order.'),
    labelledBy: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Name of the model that gave the labels, if the true ones are unknown; scores are then agreement with it.',
      ),
    normalize: normalize.optional().describe('Normalization of the values: none, unit, standard, or mean and std.'),
    augment: z.array(augmentStep).default([]).describe('Random changes of training samples, applied in this order.'),
    ...keysOfAnswers('dataset'),
    classWeights: z
      .union([z.literal('balanced'), z.array(z.number().min(0)).min(2)])
      .optional()
      .describe(
        'Weight of each class in the loss, of its samples or its pixels; `balanced` makes every class weigh the same.',
      ),
  };
}

const column = z.union([z.string(), z.int()]);

const table = {
  separator: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Regression and multi-label: separator of the numbers or labels in a column that lists them; default: |.',
    ),
  categorical: z
    .array(z.union([z.string(), z.int()]))
    .min(1)
    .optional()
    .describe('Columns of words: models read a 0 or 1 for each word of train (one-hot).'),
  missing: z
    .enum(['error', 'mean', 'zero', 'drop'])
    .default('error')
    .describe('Treatment of a missing value: stop, fill in, or drop the row.'),
  shape: sampleShape.optional().describe('Shape that the columns of a row are folded into, e.g. [8, 8, 1].'),
  window: z
    .strictObject({
      steps: count.min(2).describe('Rows of a window.'),
      stride: count.optional().describe('Rows from the start of a window to that of the next one; default: `steps`.'),
      group: column
        .optional()
        .describe(
          'Column that says to whom or what a row belongs: a window holds rows of one group, and a group is in one split. Default: each file is a group.',
        ),
      label: z
        .enum(['majority', 'last'])
        .optional()
        .describe(
          'Label of a window: of most of its rows (of several such labels the one seen last), or of its last row. Default: majority for classes, last for other tasks.',
        ),
    })
    .optional()
    .describe('A table in time, whose rows are cut into windows: a sample is [steps, channels], not a row.'),
};

const image = {
  resize: z
    .tuple([count, count])
    .optional()
    .describe("[height, width] that every image is scaled to, by Lanczos' filter over all its pixels."),
  channels: z
    .union([z.literal(1), z.literal(3)])
    .optional()
    .describe('1 for grey (the luma of ITU-R 601-2, as Pillow has it), 3 for colour.'),
};

const boxes = {
  classes: z.array(z.string().min(1)).min(1).optional().describe('Class names in index order; there may be only one.'),
  fit: z
    .enum(['letterbox', 'stretch'])
    .default('letterbox')
    .describe(
      'How resize fits a picture in: with its proportions kept and grey (114) beside it, or stretched. Default: letterbox; stretch beside outputs: detections and export: [tflite], as MediaPipe stretches pictures.',
    ),
  maxBoxes: count
    .max(1000)
    .default(50)
    .describe('Largest number of boxes of a picture; a picture with more is refused.'),
  nms: z
    .boolean()
    .optional()
    .describe(
      'False: det-nano and det-small learn to answer once for each object; no box is suppressed. Default: true.',
    ),
};

const text = { text: textOfColumns };

const idxSource = z.strictObject({
  images: file.describe('IDX file with the samples, plain or .gz.'),
  labels: file.optional().describe('IDX file with the labels, plain or .gz; absent for samples without labels.'),
});

const cocoSource = z.strictObject({
  images: file.describe('Folder of the pictures.'),
  labels: file.optional().describe('JSON file of their annotations; absent for samples without labels.'),
});

const npySource = z.strictObject({ samples: file, labels: file.optional() });
const arraySource = z.strictObject({
  file,
  samples: z
    .union([z.string(), z.array(z.string()).min(1)])
    .optional()
    .describe('Array of the samples; for a model with several inputs, arrays with the names of the inputs.'),
  labels: z.string().optional(),
});
const npzSource = z.union([npySource, arraySource]);

const audio = {
  rate: count.max(192_000).default(16_000).describe('Values per second; sounds of another rate are resampled.'),
  seconds: z
    .number()
    .gt(0)
    .max(60)
    .default(1)
    .describe('Length of a sample: longer sounds are cut to their middle, shorter ones padded with silence.'),
  features: z
    .strictObject({
      window: z
        .number()
        .gt(0)
        .max(1)
        .default(0.03)
        .describe('Length of a frame in seconds; it has the nearest number of values without prime factors above 7.'),
      hop: z.number().gt(0).max(1).default(0.02).describe('Seconds between the starts of two frames.'),
      mels: count.max(256).default(40).describe('Bands of the mel scale.'),
      low: z.number().min(0).default(20).describe('Lowest frequency of the bands, in hertz.'),
      high: z.number().gt(0).optional().describe('Highest frequency of the bands; default: half of the rate.'),
      coefficients: count
        .optional()
        .describe('Number of cepstral coefficients (MFCC) made of the bands; default: none, models read the bands.'),
      specAugment: z
        .strictObject({
          timeWidth: z.int().min(0).default(0).describe('Largest number of frames of a mask; 0: no mask over time.'),
          frequencyWidth: z
            .int()
            .min(0)
            .default(0)
            .describe('Largest number of bands of a mask; 0: no mask over the bands.'),
        })
        .optional()
        .describe(
          'SpecAugment: two random stretches of frames and two of bands are masked in training; default: none.',
        ),
    })
    .prefault({})
    .describe('Features of a sound for a named model: the logarithm of its mel spectrum, computed inside the model.'),
};

const labels = z.union([z.string(), z.array(z.string()).min(1)]);
const features = z.union([z.string(), z.array(z.string()).min(1)]);

/** Keys of each type; `data-types.ts` has what else is true of it. */
const types = {
  idx: z.strictObject({ type: z.literal('idx'), ...common(idxSource, idxSource.omit({ labels: true })) }),
  csv: z.strictObject({
    type: z.literal('csv'),
    ...common(files, files),
    ...table,
    ...text,
    label: z
      .union([column, z.array(column).min(1)])
      .optional()
      .describe('Label column by name or index (negative: from the end); several: numbers to predict.'),
    ignore: z.array(column).optional().describe('Columns that are neither label nor feature.'),
    header: z.boolean().default(true).describe('Does the first line name the columns?'),
    delimiter: z.string().min(1).default(',').describe('Delimiter of the values in a line.'),
  }),
  cifar10: z.strictObject({ type: z.literal('cifar10'), ...common(files, files) }),
  cifar100: z.strictObject({
    type: z.literal('cifar100'),
    ...common(files, files),
    labels: z.enum(['fine', 'coarse']).default('fine').describe('The 100 fine or the 20 coarse classes.'),
  }),
  'image-folder': z.strictObject({ type: z.literal('image-folder'), ...common(file, file), ...image }),
  'mask-folder': z.strictObject({ type: z.literal('mask-folder'), ...common(file, file), ...image }),
  coco: z.strictObject({
    type: z.literal('coco'),
    ...common(cocoSource, cocoSource.omit({ labels: true })),
    ...image,
    ...boxes,
  }),
  yolo: z.strictObject({ type: z.literal('yolo'), ...common(file, file), ...image, ...boxes }),
  points: z.strictObject({
    type: z.literal('points'),
    ...common(z.union([file, cocoSource]), z.union([file, cocoSource.omit({ labels: true })])),
    ...image,
    fit: boxes.fit
      .unwrap()
      .default('letterbox')
      .describe(
        'How resize fits a picture in: with its proportions kept and grey (114) beside it, or stretched. Default: letterbox.',
      ),
  }),
  voc: z.strictObject({ type: z.literal('voc'), ...common(file, file), ...image, ...boxes }),
  'audio-folder': z.strictObject({ type: z.literal('audio-folder'), ...common(file, file), ...audio }),
  'micro-features': z.strictObject({
    type: z.literal('micro-features'),
    ...common(file, file),
    seconds: audio.seconds,
    copies: count
      .max(1000)
      .optional()
      .describe(
        'Changed copies of each sound of train: moved, louder or softer, with noise; beside `validation: FOLDER`.',
      ),
    background: file
      .optional()
      .describe('Folder of WAV files, of which each copy gets a random stretch; default: white noise.'),
  }),
  'text-folder': z.strictObject({
    type: z.literal('text-folder'),
    ...common(file, file),
    missing: z.enum(['error', 'drop']).default('error').describe('Treatment of an empty text: stop, or drop it.'),
    text: textOfFiles,
  }),
  npz: z.strictObject({
    type: z.literal('npz'),
    ...common(npzSource, z.union([npySource.omit({ labels: true }), arraySource.omit({ labels: true })])),
    layout: z
      .enum(['nhwc', 'nchw', 'nwc', 'ncw'])
      .optional()
      .describe(
        'Order of the axes: of image arrays nhwc or nchw (two axes: grey images), of sequences nwc, [samples, steps, channels], or ncw, channels before steps; an error asks for it if it is unclear. Default: [samples, steps, channels] are sequences, unless a network of pictures reads them, and pictures have channels last.',
      ),
  }),
  parquet: z.strictObject({
    type: z.literal('parquet'),
    ...common(files, files),
    ...table,
    ...image,
    ...text,
    image: z.string().optional().describe('Column of encoded images.'),
    features: features.optional().describe('Numeric columns, or one column of lists.'),
    label: labels.optional().describe('Label column; several: numbers to predict.'),
  }),
  webdataset: z.strictObject({
    type: z.literal('webdataset'),
    ...common(files, files),
    ...image,
    separator: table.separator,
    image: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Ending of the members with the pictures, such as `input.jpg`; default: that of the only picture of a sample.',
      ),
    label: z.string().min(1).optional().describe('Ending of the members with the labels as text; default: cls.'),
  }),
  jsonl: z.strictObject({
    type: z.literal('jsonl'),
    ...common(files, files),
    ...table,
    ...text,
    features: features
      .optional()
      .describe(
        'Key of an array of numbers, or keys with a number each; default: `features`, else all keys of the first line except the label.',
      ),
    label: labels.optional().describe('Label key; several: numbers to predict.'),
  }),
  conll: z.strictObject({
    type: z.literal('conll'),
    ...common(files, files),
    ...text,
    label: z.int().optional().describe('Column of the tags, from 0; negative: from the end. Default: the last.'),
  }),
} satisfies Readonly<Record<DataTypeName, z.ZodObject>>;

type AnyType = (typeof types)[DataTypeName];

export const datasetSchema = z
  .discriminatedUnion('type', Object.values(types) as [AnyType, ...AnyType[]])
  .describe('The data: type, files and preparation.');

/** Rule that asks for the labels of a split, if labels may have a file of their own. */
function labelsBeside(split: string): KeyRule {
  return {
    keys: [`dataset.${split}.labels`, `dataset.${split}`, 'dataset.type', 'dataset.labelled'],
    when: (given: string | undefined, source: unknown, type: string, labelled?: number) =>
      given === undefined &&
      labelled !== 0 &&
      dataType(type).besideLabels !== undefined &&
      typeof source === 'object' &&
      source !== null &&
      !('file' in source),
    because: 'text',
    hint: 'Name the file of labels; samples without labels stand under `unlabelled`, and with `labelled: 0` no split needs labels.',
    isOfAbsent: true,
  };
}

export const datasetRules: readonly KeyRule[] = ['train', 'validation', 'test'].map(labelsBeside);
