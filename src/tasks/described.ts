import { z } from 'zod';

/** Parts of the description of a model's answers, besides the score; report.json has each with its split. */

const fraction = z.number().min(0).max(1);
const whole = z.int().min(0);
const amount = z.number().min(0);

const bins = z
  .array(
    z.strictObject({
      samples: whole,
      confidence: fraction.nullable(),
      accuracy: fraction.nullable(),
    }),
  )
  .readonly()
  .describe('Ascending; means over the samples of the bin, null where there are none.');

export const DESCRIBED = {
  confusion: z.strictObject({
    counts: z
      .array(z.array(whole).readonly())
      .readonly()
      .describe('[true class][predicted class]: numbers of samples.'),
  }),
  perClass: z
    .strictObject({ samples: z.array(whole).readonly(), right: z.array(whole).readonly() })
    .describe('By true class, where there are too many classes for a confusion matrix.'),
  calibration: z
    .strictObject({
      ece: fraction.describe('Expected calibration error over bins of equal width.'),
      confidence: fraction.describe('Mean probability of the class that was given.'),
      bins,
    })
    .describe('Is it as often right as it is sure?'),
  classFigures: z
    .strictObject({
      auc: fraction
        .nullable()
        .describe(
          'Area under the ROC curve; of more than two classes the mean over the classes, each against the others. Null without two classes, and with more than 40.',
        ),
      macroF1: fraction.describe('Mean of the F1 of the classes.'),
      logLoss: amount.describe('Mean of -log of the probability of the true class, in nats.'),
    })
    .describe('Of classes, besides the accuracy.'),
  errors: z
    .strictObject({
      rows: z
        .array(
          z.strictObject({
            name: z.string(),
            mae: amount.describe('Mean absolute error.'),
            rmse: amount.describe('Root of the mean squared error.'),
            r2: z
              .number()
              .nullable()
              .describe('1 - squared error / that of the mean; null where all labels are the same.'),
            bias: z.number().describe('Mean of prediction - label.'),
          }),
        )
        .readonly(),
      points: z
        .array(z.array(z.tuple([z.number(), z.number()]).readonly()).readonly())
        .readonly()
        .describe('Of each number: [label, prediction] of some samples.'),
    })
    .describe('Of predicted numbers, in the units of the label.'),
  labels: z
    .strictObject({
      meanAveragePrecision: fraction
        .nullable()
        .describe('Over the labels that some sample has; null where there is none.'),
      ece: fraction
        .exactOptional()
        .describe(
          'Expected calibration error of the probabilities, mean over the labels; reports of version 2 have none.',
        ),
      rightDecisions: fraction.describe('Share of all labels of all samples that are rightly given or not given.'),
      rows: z
        .array(
          z.strictObject({
            name: z.string(),
            samples: whole.describe('That have the label.'),
            averagePrecision: fraction.nullable().describe('Null where no sample has the label.'),
            f1: fraction
              .nullable()
              .describe('At a probability of 0.5; null where no sample has the label and none is given.'),
            threshold: fraction
              .exactOptional()
              .describe(
                'Probability above which the label is given for the best F1 on the validation split; absent where no sample there has it.',
              ),
            f1AtThreshold: fraction.nullable().exactOptional(),
            ece: fraction.exactOptional().describe('Expected calibration error over bins of equal width.'),
            bins: z
              .array(z.strictObject({ samples: whole, probability: fraction.nullable(), share: fraction.nullable() }))
              .readonly()
              .exactOptional()
              .describe(
                'Ascending by the probability of the label: its mean, and the share of samples that have the label; null where there are none.',
              ),
          }),
        )
        .readonly(),
    })
    .describe('Of several labels: each by itself.'),
  entities: z
    .strictObject({
      words: whole.describe('That have a tag and were read.'),
      rightWords: fraction.describe('Share of the words with the right tag.'),
      precision: fraction.nullable().describe('Share of the given entities that are right; null where none is given.'),
      recall: fraction.nullable().describe('Share of the true entities that are given; null where there is none.'),
      rows: z
        .array(
          z.strictObject({
            name: z.string().describe('Type of the entities; of tags that mark none the tag.'),
            there: whole.describe('True entities.'),
            given: whole,
            right: whole.describe('Given with the type and all words of a true one.'),
            precision: fraction.nullable(),
            recall: fraction.nullable(),
            f1: fraction.nullable().describe('Null where there is none and none is given.'),
          }),
        )
        .readonly(),
    })
    .describe('Of words with a tag each: entities as seqeval counts them.'),
  masks: z
    .strictObject({
      pixels: whole.describe('That have a class.'),
      rightPixels: fraction.describe('Share of these pixels with the right class.'),
      rows: z
        .array(
          z.strictObject({
            name: z.string(),
            there: whole.describe('Pixels of the class.'),
            given: whole,
            right: whole.describe('Pixels of the class that were given it.'),
            iou: fraction
              .nullable()
              .describe('Intersection over union, from one matrix over all pixels; null for a class in neither.'),
            dice: fraction.nullable(),
          }),
        )
        .readonly(),
      counts: z
        .array(z.array(whole).readonly())
        .readonly()
        .exactOptional()
        .describe('[true class][given class]: numbers of pixels, unless there are too many classes.'),
    })
    .describe('Of pixels with a class each.'),
  boxes: z
    .strictObject({
      ap: fraction
        .nullable()
        .describe("Average precision by COCO's rules, mean over overlaps of 0.50 to 0.95 and over classes."),
      ap50: fraction.nullable(),
      ap75: fraction.nullable(),
      recall: fraction.nullable().describe('With at most 100 detections of a picture, mean over the same overlaps.'),
      small: fraction.nullable().describe('Average precision of boxes below 32² pixels.'),
      medium: fraction.nullable(),
      large: fraction.nullable().describe('Average precision of boxes above 96² pixels.'),
      atThreshold: z
        .strictObject({
          threshold: fraction.describe('Score from which files, server and kit show a box: that of the best F1.'),
          precision: fraction.nullable().describe('Share of the boxes shown that are right; null where none is shown.'),
          recall: fraction.nullable().describe('Share of the true boxes that are shown; null where there is none.'),
          f1: fraction.nullable(),
        })
        .exactOptional()
        .describe(
          'Over all classes at an overlap of 0.5, with the threshold that is best on the validation split; absent where no box there is right.',
        ),
      rows: z
        .array(
          z.strictObject({
            name: z.string(),
            there: whole.describe('Boxes of the class that count.'),
            ap: fraction.nullable(),
            ap50: fraction.nullable(),
            recall: fraction.nullable(),
            precision: z
              .array(fraction)
              .readonly()
              .optional()
              .describe('At an overlap of 0.5, at a recall of 0, 0.01, … 1; absent for a class without boxes.'),
          }),
        )
        .readonly(),
    })
    .describe('Of boxes with a class each.'),
  vectors: z
    .strictObject({
      samples: whole.describe('That are searched.'),
      queries: whole.describe(
        'Samples that others are searched for, of those that have relevant ones; of pairs with a similarity their number.',
      ),
      rows: z
        .array(
          z.strictObject({
            size: whole.describe('Numbers of a vector: the whole one or a prefix.'),
            precision: z.enum(['float32', 'int8', 'binary']).describe('Number format of the vectors in an index.'),
            bytes: whole.describe('Of one vector in the index.'),
            recall1: fraction.exactOptional().describe('Share of queries whose nearest sample is relevant.'),
            recall5: fraction.exactOptional(),
            recall10: fraction
              .exactOptional()
              .describe('Share of queries with a relevant sample among the nearest 10.'),
            map: fraction
              .exactOptional()
              .describe('Mean average precision at R, the number of relevant samples of the query.'),
            spearman: z
              .number()
              .min(-1)
              .max(1)
              .exactOptional()
              .describe('Correlation of the cosines of pairs with their similarities.'),
          }),
        )
        .readonly(),
    })
    .describe(
      'Of vectors to search with: relevant are samples of the same class, without labels the nearest 10 by the vectors of the teacher.',
    ),
};

/** Comparison of a model's answers with the teacher's. */
export const BESIDE = {
  agreement: z
    .strictObject({
      bothRight: whole,
      onlyTeacher: whole,
      onlyThis: whole,
      sameError: whole.describe('Both wrong, with the same class.'),
      differentErrors: whole,
    })
    .describe('Beside the teacher on the same samples: numbers of samples.'),
  likeness: z
    .strictObject({
      cosine: z.number().min(-1).max(1).describe('Mean cosine of the vectors of both.'),
      overlap: fraction.describe('Share of the nearest 10 samples that both have in common.'),
    })
    .describe('Beside the vectors of the teacher.'),
};

export type Described = { readonly [K in keyof typeof DESCRIBED]?: z.infer<(typeof DESCRIBED)[K]> };
export type Calibration = NonNullable<Described['calibration']>;
export type ClassFigures = NonNullable<Described['classFigures']>;
export type ErrorReport = NonNullable<Described['errors']>;
export type LabelReport = NonNullable<Described['labels']>;
export type MaskReport = NonNullable<Described['masks']>;
export type BoxReport = NonNullable<Described['boxes']>;
export type VectorReport = NonNullable<Described['vectors']>;
export type EntityReport = NonNullable<Described['entities']>;
export interface Beside {
  readonly agreement?: z.infer<(typeof BESIDE)['agreement']>;
  readonly likeness?: z.infer<(typeof BESIDE)['likeness']>;
  /** Root mean squared difference of the answers, for numbers in the label's units, mean over the numbers. */
  readonly distance?: number;
}

/** Figures of a model file on a split, of which a task has some. */
export interface EvaluationFigures {
  /** Accuracy, for classification. */
  readonly accuracy?: number;
  /** Accuracy of each class, by name; null for a class without samples in the split. */
  readonly perClass?: Readonly<Record<string, number | null>>;
  readonly classFigures?: ClassFigures;
  /** Score of other tasks, and one that a recipe chooses. */
  readonly score?: { readonly name: string; readonly value: number };
  readonly errors?: ErrorReport;
  readonly labels?: LabelReport;
  readonly entities?: EntityReport;
  readonly masks?: MaskReport;
  readonly boxes?: BoxReport;
  readonly vectors?: VectorReport;
}
