import { z } from 'zod';
import { fraction } from '../../recipe/schema/parts.ts';
import { whole } from '../../report/schema/parts.ts';
import type { FigureSchemas } from '../../report/schema/model.ts';

/** Figures of pixels with a class each, in report.json. */
export const masks = z
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
  .describe('Of pixels with a class each.');

export const figureSchemas: FigureSchemas = { described: { masks } };

export type MaskReport = z.infer<typeof masks>;

declare module '../../tasks/described.ts' {
  interface DescribedSchemas {
    readonly masks: typeof masks;
  }
}
