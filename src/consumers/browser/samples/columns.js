// == IMPORTS ==
import { numbersOfDate, timeOfDate } from './dates.js';
import { normalized } from './normalized.js';

// == PREPARE ==
const { columns } = await (await load('preprocessing.json')).json();

// __ROWS__

// __NORMALIZE__

// == REST ==
/** A field for a column: a number, a date in UTC, or one of its words. What is left empty is missing. */
function fieldOf({ name, words, date }) {
  const label = Object.assign(document.createElement('label'), { textContent: name + ' ' });
  const field = document.createElement(words === undefined ? 'input' : 'select');
  if (date !== undefined) field.type = date.includes('hour') ? 'datetime-local' : 'date';
  else if (words === undefined) Object.assign(field, { type: 'number', step: 'any' });
  else field.append(...['', ...words].map((word) => new Option(word)));
  field.name = name;
  label.append(field);
  return label;
}

// == RAW ==
const { raw } = example;

// == CHOOSE ==
const form = document.querySelector('form');
form.prepend(...columns.map(fieldOf));
form.onsubmit = async (event) => {
  event.preventDefault();
  const entries = [...new FormData(form)].map(([name, value]) => [name, value === '' ? null : value]);
  try {
    await show(encode(Object.fromEntries(entries)));
  } catch (error) {
    list.append(Object.assign(document.createElement('li'), { textContent: error.message }));
  }
};
