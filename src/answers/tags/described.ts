import { z } from 'zod';
import { fraction } from '../../recipe/schema/parts.ts';
import { whole } from '../../report/schema/parts.ts';
import type { FigureSchemas } from '../../report/schema/model.ts';

/** Entities of words with a tag each, in report.json. */
export const entities = z
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
  .describe('Of words with a tag each: entities as seqeval counts them.');

export const figureSchemas: FigureSchemas = { described: { entities } };

export type EntityReport = z.infer<typeof entities>;

declare module '../../tasks/described.ts' {
  interface DescribedSchemas {
    readonly entities: typeof entities;
  }
}
