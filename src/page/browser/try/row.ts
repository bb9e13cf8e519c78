import type { Described } from '../card.ts';
import type { Element } from '../dom.ts';
import { make } from '../make.ts';
import type { OnQuestion, Source } from './draw.ts';

/** Choice for a word that the training data had not. */
const OTHER = 'another word';

interface Field {
  readonly name: string;
  readonly element: Element;
  readonly read: () => string | number;
}

/** One row of a table with columns of words: a field for each column. Numbers begin with their means. */
export function row(described: Described, onQuestion: OnQuestion): Source {
  const fields = fieldsOf(described);
  const error = make('p', { class: 'caution', role: 'alert', hidden: true }, 'Fill in every number.');
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
  return columns!.map(({ name, words }) => {
    const place = at;
    at += words?.length ?? 1;
    if (words !== undefined) {
      const options = words.map((word) => make('option', { value: word }, word));
      const element = make('select', {}, ...options, make('option', { value: '' }, OTHER));
      return { name, element, read: () => (words.includes(element.value) ? element.value : OTHER) };
    }
    const mean = normalization === undefined ? 0 : normalization.mean[place]! / normalization.scale;
    const element = make('input', { type: 'number', step: 'any', value: Number(mean.toPrecision(4)) });
    return { name, element, read: () => (element.value === '' ? NaN : Number(element.value)) };
  });
}
