import { z } from 'zod';
import { fraction } from '../../recipe/schema/parts.ts';
import { whole } from '../../report/schema/parts.ts';
import type { FigureSchemas } from '../../report/schema/model.ts';

/** Figures of several labels, each by itself, in report.json. */
export const labels = z
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
  .describe('Of several labels: each by itself.');

export const figureSchemas: FigureSchemas = { described: { labels } };

export type LabelReport = z.infer<typeof labels>;

declare module '../../tasks/described.ts' {
  interface DescribedSchemas {
    readonly labels: typeof labels;
  }
}
