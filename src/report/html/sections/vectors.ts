import { percent } from '../../../base/numbers.ts';
import { number } from '../../format.ts';
import { vectorHead, vectorRows } from '../../tables/vectors.ts';
import type { Report } from '../../types.ts';
import { modelHead, table, textCells } from '../tables.ts';
import { markup } from '../markup.ts';
import type { Content } from '../markup.ts';

/** Section on vectors: retrieval by all models, by the size and the number format of the vectors. */
export function vectorsSection(report: Report): Content {
  const rated = report.models.flatMap((model) => (model.vectors === undefined ? [] : [{ model, of: model.vectors }]));
  const [first] = rated;
  if (first === undefined) return '';
  const rows = rated.flatMap(({ model, of }) =>
    vectorRows(of).map(
      ([numbers, ...values]) => markup`<tr>${modelHead(report, model, `${numbers!} numbers`)}${textCells(values)}</tr>`,
    ),
  );
  const beside = rated.flatMap(({ model, model: { likeness } }) =>
    likeness === undefined
      ? []
      : [
          markup`<tr>${modelHead(report, model)}${textCells([likeness.cosine.toFixed(4), percent(likeness.overlap, 1)])}</tr>`,
        ],
  );
  const { labelledBy } = report.dataset;
  const relevant =
    labelledBy === undefined ? 'of the same class' : `among the ten nearest by the vectors of ${labelledBy}`;
  const { split, queries, samples, rows: figures } = first.of;
  const isOfPairs = figures[0]?.spearman !== undefined;
  return markup`<section id="vectors"><h2>Vectors</h2><p>On the ${split} split: ${
    isOfPairs
      ? `Spearman's correlation of the cosines of ${number(queries)} pairs with their similarities`
      : `${number(queries)} of ${number(samples)} samples are queries, each searched among all others by cosine. ` +
        `Relevant are samples ${relevant}. recall@k is the share of queries with a relevant sample among the nearest k; ` +
        'mAP@R is the mean average precision at R, the number of relevant samples'
  }.
      int8 is each vector in 8 bits, binary the sign of each number; the last column
      is the size of an index of a million vectors.</p>
      ${table('Vectors', ['model', ...vectorHead(first.of).slice(1)], rows)}
      ${
        beside.length === 0
          ? ''
          : markup`<p>Beside the teacher: the mean cosine of both vectors of a sample, and the share of its ten nearest samples that both have in common.</p>
      ${table('Beside the teacher', ['model', 'cosine', 'nearest ten'], beside)}`
      }
      </section>`;
}
