import { z } from 'zod';
import { fraction } from '../../recipe/schema/parts.ts';
import { whole } from '../../report/schema/parts.ts';
import type { FigureSchemas } from '../../report/schema/model.ts';

/** Schema of `vectors` in report.json: how well the vectors of a model find alike samples. */
export const vectors = z
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
          recall10: fraction.exactOptional().describe('Share of queries with a relevant sample among the nearest 10.'),
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
  );

/** Schema of `likeness` in report.json: how near the vectors of a model are to the vectors of the teacher. */
export const vectorLikeness = z
  .strictObject({
    cosine: z.number().min(-1).max(1).describe('Mean cosine of the vectors of both.'),
    overlap: fraction.describe('Share of the nearest 10 samples that both have in common.'),
  })
  .describe('Beside the vectors of the teacher.');

export const figureSchemas: FigureSchemas = { described: { vectors }, beside: { likeness: vectorLikeness } };

export type VectorReport = z.infer<typeof vectors>;

declare module '../../tasks/described.ts' {
  interface DescribedSchemas {
    readonly vectors: typeof vectors;
  }
  interface BesideSchemas {
    readonly likeness: typeof vectorLikeness;
  }
}
