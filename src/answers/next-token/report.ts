import { digits, percent } from '../../base/numbers.ts';
import type { AnswerFigures } from '../../report/answer-figures.ts';
import { number } from '../../report/format.ts';
import { markup } from '../../report/html/markup.ts';
import type { NextTokenReport } from './described.ts';

/** Head of the table of next tokens. */
export function tokenHead({ within }: NextTokenReport): string[] {
  return [
    'next tokens',
    'bits per byte',
    'perplexity',
    'per word',
    ...within.map(({ guesses }) => (guesses === 1 ? 'first guess' : `in ${guesses} guesses`)),
  ];
}

/** The row of a model. */
export function tokenRow({ tokens, bitsPerByte, perplexity, wordPerplexity, within }: NextTokenReport): string[] {
  return [
    number(tokens),
    digits(bitsPerByte),
    digits(perplexity),
    wordPerplexity === null ? '–' : digits(wordPerplexity),
    ...within.map(({ share }) => percent(share, 1)),
  ];
}

/** Bits per byte, perplexities and right guesses of next tokens. */
export const nextTokenFigures: AnswerFigures = {
  name: 'next-token',
  id: 'next-tokens',
  heading: 'Next tokens',
  text: ({ nextTokens }) =>
    markup`On ${number(nextTokens!.bytes)} bytes and ${number(nextTokens!.words)} words of the ${nextTokens!.split} split. Bits per byte and the perplexity per
      word do not depend on the tokenizer; the perplexity per token does, and so do the shares of tokens that are among the first guesses.`,
  parts: {
    label: 'Next tokens',
    head: ({ nextTokens }) => tokenHead(nextTokens!),
    rows: ({ nextTokens }) => nextTokens && [tokenRow(nextTokens)],
  },
};
