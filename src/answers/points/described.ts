import { z } from 'zod';
import { fraction } from '../../recipe/schema/parts.ts';
import { amount, whole } from '../../report/schema/parts.ts';
import type { FigureSchemas } from '../../report/schema/model.ts';

const share = fraction.nullable();

/** Figures of the places of points, in report.json; null without labelled points. */
export const points = z
  .strictObject({
    there: whole.describe('Labelled points.'),
    within: z
      .array(z.strictObject({ distance: fraction, share }))
      .readonly()
      .describe("PCK: share of the points within a distance, as a share of the picture's longer side."),
    auc: share.describe('Mean of the shares within 1/20, 2/20, … of the largest of these distances.'),
    error: amount.nullable().describe("Mean distance, as a share of the picture's longer side."),
    median: amount.nullable().describe('Median distance, in pixels of the original picture.'),
    ap: share.describe('Average precision by the similarity of points (OKS), as pycocotools has it.'),
    ap50: share,
    ap75: share,
    recall: share,
    rows: z
      .array(
        z.strictObject({
          name: z.string(),
          there: whole,
          within: z.array(share).readonly(),
          error: amount.nullable(),
          median: amount.nullable(),
        }),
      )
      .readonly(),
  })
  .describe('Of the places of points.');

export const figureSchemas: FigureSchemas = { described: { points } };

export type PointsReport = z.infer<typeof points>;

declare module '../../tasks/described.ts' {
  interface DescribedSchemas {
    readonly points: typeof points;
  }
}
