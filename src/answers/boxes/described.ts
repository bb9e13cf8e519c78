import { z } from 'zod';
import { fraction } from '../../recipe/schema/parts.ts';
import { whole } from '../../report/schema/parts.ts';
import type { FigureSchemas } from '../../report/schema/model.ts';

/** Figures of boxes with a class each, in report.json. */
export const boxes = z
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
  .describe('Of boxes with a class each.');

export const figureSchemas: FigureSchemas = { described: { boxes } };

export type BoxReport = z.infer<typeof boxes>;

declare module '../../tasks/described.ts' {
  interface DescribedSchemas {
    readonly boxes: typeof boxes;
  }
}
