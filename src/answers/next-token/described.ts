import { z } from 'zod';
import { fraction } from '../../recipe/schema/parts.ts';
import { amount, whole } from '../../report/schema/parts.ts';
import type { FigureSchemas } from '../../report/schema/model.ts';

/** Figures of next tokens, in report.json. */
export const nextTokens = z
  .strictObject({
    tokens: whole.describe('Places whose next token was asked for.'),
    bytes: whole.describe('Of the text of these tokens, in UTF-8.'),
    words: whole.describe('Of this text, as white space separates them.'),
    bitsPerByte: amount.describe('-log2 of the probabilities of the true tokens, over the bytes.'),
    perplexity: amount.describe('Two to the power of the bits over the tokens.'),
    wordPerplexity: amount.nullable().describe('Two to the power of the bits over the words; null without words.'),
    within: z
      .array(z.strictObject({ guesses: whole, share: fraction }))
      .readonly()
      .describe('Share of the true tokens among the most probable ones.'),
  })
  .describe('Of next tokens.');

export const figureSchemas: FigureSchemas = { described: { nextTokens } };

export type NextTokenReport = z.infer<typeof nextTokens>;

declare module '../../tasks/described.ts' {
  interface DescribedSchemas {
    readonly nextTokens: typeof nextTokens;
  }
}
