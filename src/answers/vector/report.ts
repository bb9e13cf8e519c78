import { percent } from '../../base/numbers.ts';
import type { AnswerFigures } from '../../report/answer-figures.ts';
import { number, size } from '../../report/format.ts';
import { markup } from '../../report/html/markup.ts';
import type { VectorReport } from './described.ts';

/** Figures of vectors by their size and number format, of which a task has some. */
const FIGURES = {
  recall1: 'recall@1',
  recall5: 'recall@5',
  recall10: 'recall@10',
  map: 'mAP@R',
  spearman: 'Spearman',
} as const;

const figuresIn = ({ rows }: VectorReport) =>
  (Object.keys(FIGURES) as (keyof typeof FIGURES)[]).filter((key) => rows[0]?.[key] !== undefined);

/** Head of the table of vectors by their size and number format. */
export function vectorHead(of: VectorReport): string[] {
  return ['numbers', 'format', ...figuresIn(of).map((key) => FIGURES[key]), 'a million'];
}

const MILLION = 1e6;

/** A row for each size and number format; last the size of an index of a million vectors. */
export function vectorRows(of: VectorReport): string[][] {
  const figures = figuresIn(of);
  return of.rows.map((row) => [
    String(row.size),
    row.precision,
    ...figures.map((key) => percent(row[key]!, 1)),
    size(row.bytes * MILLION),
  ]);
}

/** Retrieval, by the size and the number format of the vectors. */
export const vectorFigures: AnswerFigures = {
  name: 'vector',
  id: 'vectors',
  heading: 'Vectors',
  text: ({ vectors }, { labelledBy }) => {
    const relevant =
      labelledBy === undefined ? 'of the same class' : `among the ten nearest by the vectors of ${labelledBy}`;
    const { split, queries, samples, rows } = vectors!;
    const isOfPairs = rows[0]?.spearman !== undefined;
    return markup`On the ${split} split: ${
      isOfPairs
        ? `Spearman's correlation of the cosines of ${number(queries)} pairs with their similarities`
        : `${number(queries)} of ${number(samples)} samples are queries, each searched among all others by cosine. ` +
          `Relevant are samples ${relevant}. recall@k is the share of queries with a relevant sample among the nearest k; ` +
          'mAP@R is the mean average precision at R, the number of relevant samples'
    }.
      int8 is each vector in 8 bits, binary the sign of each number; the last column
      is the size of an index of a million vectors.`;
  },
  parts: {
    label: 'Vectors',
    head: ({ vectors }) => vectorHead(vectors!),
    rows: ({ vectors }) => vectors && vectorRows(vectors),
    partText: (numbers) => `${numbers} numbers`,
  },
  after: {
    label: 'Beside the teacher',
    head: () => ['cosine', 'nearest ten'],
    rows: ({ likeness }) => likeness && [[likeness.cosine.toFixed(4), percent(likeness.overlap, 1)]],
    text: markup`<p>Beside the teacher: the mean cosine of both vectors of a sample, and the share of its ten nearest samples that both have in common.</p>`,
  },
};
