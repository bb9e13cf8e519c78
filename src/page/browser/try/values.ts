import type { Described } from '../card.ts';
import { make, say } from '../make.ts';
import type { OnQuestion, Source } from './draw.ts';

/** More of them are a text alone. */
const MOST_FIELDS = 32;

/**
 * One row of a table: a field for each number, and all of them as a text that can be pasted; of a sequence [steps, channels] a line for each step. It
 * begins with the means.
 */
export function values(described: Described, onQuestion: OnQuestion): Source {
  const { shape, normalization } = described;
  const channels = shape.at(-1)!;
  const isSequence = shape.length === 2;
  const count = isSequence ? shape[0]! * channels : channels;
  const { mean, scale } = normalization ?? { mean: new Array<number>(channels).fill(0), scale: 1 };
  let row = Array.from({ length: count }, (_, i) => Number((mean[i % channels]! / scale).toPrecision(4)));
  const stepsOf = (all: readonly number[]): number[][] =>
    Array.from({ length: count / channels }, (_, step) => all.slice(step * channels, (step + 1) * channels));
  const error = make('p', { class: 'caution', role: 'alert', hidden: true });
  const text = make('textarea', { id: 'row', rows: Math.min(8, Math.ceil(count / 8) + 1), spellcheck: 'false' });
  const fields =
    count > MOST_FIELDS ? [] : row.map((_, i) => make('input', { type: 'number', step: 'any', id: `value${i}` }));
  const show = (): void => {
    text.value = stepsOf(row)
      .map((step) => step.join(', '))
      .join('\n');
    fields.forEach((field, i) => (field.value = String(row[i])));
  };
  const send = (next: readonly number[]): void => {
    const wrong = next.length !== count || !next.every(Number.isFinite);
    error.hidden = !wrong;
    if (wrong) {
      say(error, `Expected ${count} numbers, received ${next.filter(Number.isFinite).length}.`);
      return;
    }
    row = [...next];
    onQuestion(
      Promise.resolve({
        body: JSON.stringify({ inputs: isSequence ? [stepsOf(row)] : row }),
        type: 'application/json',
      }),
    );
  };
  text.addEventListener('input', () => {
    const parts = text.value.split(/[\s,;]+/).filter((part) => part !== '');
    send(parts.map(Number));
    fields.forEach((field, i) => (field.value = parts[i] ?? ''));
  });
  fields.forEach((field) =>
    field.addEventListener('input', () => {
      const all = fields.map(({ value }) => (value === '' ? NaN : Number(value)));
      text.value = fields.map(({ value }) => value).join(', ');
      send(all);
    }),
  );
  show();
  send(row);
  const grid = fields.map((field, i) =>
    make('span', { class: 'field' }, make('label', { for: `value${i}` }, `value ${i + 1}`), field),
  );
  const element = make(
    'div',
    {},
    make('div', { class: 'fields' }, ...grid),
    make(
      'label',
      { for: 'row' },
      `All ${count} in a row, as in a line of CSV${described.normalization === undefined ? '' : '; raw, as the data was. It begins with the means'}`,
    ),
    text,
    error,
  );
  return { element, stop: () => undefined };
}
