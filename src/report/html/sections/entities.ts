import { digits, percent } from '../../../base/numbers.ts';
import { number } from '../../format.ts';
import { ENTITY_HEAD, entityRows, shareText } from '../../tables/entities.ts';
import type { Report } from '../../types.ts';
import { modelHead, table, textCells } from '../tables.ts';
import { markup } from '../markup.ts';
import type { Content } from '../markup.ts';

/** Most types that each model has a row for. */
const SHOWN = 40;

/** Section on entities: precision, recall and F1 of all models, type by type. */
export function entitiesSection(report: Report): Content {
  const rated = report.models.flatMap((model) => (model.entities === undefined ? [] : [{ model, of: model.entities }]));
  const [first] = rated;
  if (first === undefined) return '';
  const all = rated.map(({ model, of }) => {
    const apart = model.distance === undefined ? '–' : digits(model.distance);
    const values = [percent(of.rightWords), shareText(of.precision), shareText(of.recall), apart];
    return markup`<tr>${modelHead(report, model)}${textCells(values)}</tr>`;
  });
  const types = rated.flatMap(({ model, of }) =>
    entityRows(of)
      .slice(0, SHOWN)
      .map(([name, ...values]) => markup`<tr>${modelHead(report, model, name)}${textCells(values)}</tr>`),
  );
  const { length } = first.of.rows;
  const cut = length > SHOWN ? ` The first ${SHOWN} of ${length} types; report.json has all.` : '';
  return markup`<section id="entities"><h2>Entities</h2><p>On the ${number(first.of.words)} words of the ${first.of.split} split that were read. An entity is right if
      its type and all of its words are, as seqeval and conlleval count them. Right words are the share of the words with the right tag; beside them is the root
      of the mean squared difference of the logits from the teacher's.${cut}</p>
      ${table('All entities', ['model', 'right words', 'precision', 'recall', 'from the teacher'], all)}
      ${table('Entities by type', ['model', ...ENTITY_HEAD.slice(1)], types)}</section>`;
}
