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
};

/** Schemas of the parts of a description, by name. The parts of classes stand here; `src/answers/<form>/described.ts` adds the parts of each other form by declaration merging. */
export interface DescribedSchemas {
  readonly confusion: (typeof DESCRIBED)['confusion'];
  readonly perClass: (typeof DESCRIBED)['perClass'];
  readonly calibration: (typeof DESCRIBED)['calibration'];
  readonly classFigures: (typeof DESCRIBED)['classFigures'];
}

/** Schemas of comparisons with the teacher, by name; see `DescribedSchemas`. */
export interface BesideSchemas {
  readonly agreement: (typeof BESIDE)['agreement'];
}

export type Described = { readonly [K in keyof DescribedSchemas]?: z.infer<DescribedSchemas[K]> };
export type Calibration = NonNullable<Described['calibration']>;
export type ClassFigures = NonNullable<Described['classFigures']>;

export type Beside = { readonly [K in keyof BesideSchemas]?: z.infer<BesideSchemas[K]> } & {
  /** Root mean squared difference of the answers, for numbers in the label's units, mean over the numbers. */
  readonly distance?: number;
};

/** Figures of a model file on a split, of which a task has some. */
export interface EvaluationFigures extends Omit<Described, 'calibration' | 'confusion' | 'perClass'> {
  /** Accuracy, for classification. */
  readonly accuracy?: number;
  /** Accuracy of each class, by name; null for a class without samples in the split. */
  readonly perClass?: Readonly<Record<string, number | null>>;
  /** Score of other tasks, and one that a recipe chooses. */
  readonly score?: { readonly name: string; readonly value: number };
}
