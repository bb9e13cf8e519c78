import { z } from 'zod';
import { amount } from '../../report/schema/parts.ts';
import type { FigureSchemas } from '../../report/schema/model.ts';

/** Errors of predicted numbers, in report.json. */
export const errors = z
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
  .describe('Of predicted numbers, in the units of the label.');

export const figureSchemas: FigureSchemas = { described: { errors } };

export type ErrorReport = z.infer<typeof errors>;

declare module '../../tasks/described.ts' {
  interface DescribedSchemas {
    readonly errors: typeof errors;
  }
}
