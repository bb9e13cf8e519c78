import { digits, percent } from '../../base/numbers.ts';
import type { AnswerFigures } from '../../report/answer-figures.ts';
import { number } from '../../report/format.ts';
import { markup } from '../../report/html/markup.ts';
import type { EntityReport } from './described.ts';

export const ENTITY_HEAD = ['entities', 'true', 'given', 'right', 'precision', 'recall', 'F1'];

/** Most types that each model has a row for in report.html. */
const SHOWN = 40;

/** Cells of a table of entities, one row for each type. */
export function entityRows({ rows }: EntityReport): string[][] {
  return rows.map(({ name, there, given, right, precision, recall, f1 }) => [
    name,
    ...[there, given, right].map(number),
    ...[precision, recall, f1].map(shareText),
  ]);
}

/** A share, or nothing where there is none. */
function shareText(value: number | null): string {
  return value === null ? '–' : percent(value);
}

/** Precision, recall and F1 of entities, type by type. */
export const entityFigures: AnswerFigures = {
  name: 'tags',
  id: 'entities',
  heading: 'Entities',
  text: ({ entities }) => {
    const { words, split, rows } = entities!;
    const cut = rows.length > SHOWN ? ` The first ${SHOWN} of ${rows.length} types; report.json has all.` : '';
    return markup`On the ${number(words)} words of the ${split} split that were read. An entity is right if
      its type and all of its words are, as seqeval and conlleval count them. Right words are the share of the words with the right tag; beside them is the root
      of the mean squared difference of the logits from the teacher's.${cut}`;
  },
  whole: {
    label: 'All entities',
    head: () => ['right words', 'precision', 'recall', 'from the teacher'],
    rows: ({ entities, distance }) => {
      const { rightWords, precision, recall } = entities!;
      const apart = distance === undefined ? '–' : digits(distance);
      return [[percent(rightWords), shareText(precision), shareText(recall), apart]];
    },
  },
  parts: {
    label: 'Entities by type',
    head: () => ENTITY_HEAD,
    rows: ({ entities }) => entities && entityRows(entities),
    most: SHOWN,
  },
};
