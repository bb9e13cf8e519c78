import { textOfDate } from '../../../data/dates.ts';
import type { Described } from '../card.ts';
import type { Element } from '../dom.ts';
import { make } from '../make.ts';
import type { OnQuestion, Source } from './draw.ts';

/** Choice for a word that the training data had not. */
const OTHER = 'another word';

interface Field {
  readonly name: string;
  readonly element: Element;
  /** NaN for an empty field. */
  readonly read: () => string | number;
}

/** One row of a table with columns of words or dates: a field for each column. Numbers and dates begin with their means. */
export function row(described: Described, onQuestion: OnQuestion): Source {
  const fields = fieldsOf(described);
  const error = make('p', { class: 'caution', role: 'alert', hidden: true }, 'Fill in every field.');
  const send = (): void => {
    const values = fields.map(({ name, read }) => [name, read()] as const);
    error.hidden = !values.some(([, value]) => Number.isNaN(value));
    if (!error.hidden) return;
    const body = JSON.stringify({ inputs: [Object.fromEntries(values)] });
    onQuestion(Promise.resolve({ body, type: 'application/json' }));
  };
  const cells = fields.map(({ name, element }, i) => {
    element.id = `column${i}`;
    element.addEventListener('input', send);
    return make('span', { class: 'field' }, make('label', { for: `column${i}` }, name), element);
  });
  send();
  return { element: make('div', {}, make('div', { class: 'fields' }, ...cells), error), stop: () => undefined };
}

function fieldsOf({ columns, normalization }: Described): Field[] {
  let at = 0;
  const means = normalization?.mean.map((mean) => mean / normalization.scale) ?? [];
  return columns!.map(({ name, words, date }) => {
    const place = at;
    at += (words ?? date)?.length ?? 1;
    if (words !== undefined) {
      const options = words.map((word) => make('option', { value: word }, word));
      const element = make('select', {}, ...options, make('option', { value: '' }, OTHER));
      return { name, element, read: () => (words.includes(element.value) ? element.value : OTHER) };
    }
    if (date !== undefined) {
      const type = date.includes('hour') ? 'datetime-local' : 'date';
      const element = make('input', { type, value: textOfDate(means.slice(place, at), date) });
      return { name, element, read: () => element.value || NaN };
    }
    const element = make('input', { type: 'number', step: 'any', value: Number((means[place] ?? 0).toPrecision(4)) });
    return { name, element, read: () => (element.value === '' ? NaN : Number(element.value)) };
  });
}
