import { jsonIn } from '../../src/serve/json.ts';

const read = (text: string): unknown => jsonIn(Buffer.from(text), (why) => why);
const nested = (pairs: number): string => `${'[{"a":'.repeat(pairs)}0${'}]'.repeat(pairs)}`;

it.each([
  ['brackets in a text', `{"inputs": "${'[{:'.repeat(100)}"}`],
  ['quotes in a text with brackets behind them', `["\\"${'['.repeat(100)}", "\\\\", "${'{'.repeat(100)}"]`],
  ['many arrays beside each other', `[${Array.from({ length: 100 }, () => '[1, -2.5e3]').join()}]`],
  ['arrays and objects, 32 deep together', nested(16)],
])('takes %s', (_, text) => {
  expect(read(text)).toEqual(JSON.parse(text));
});

it.each([
  ['34 deep, of which no kind is alone', nested(17)],
  ['33 deep behind a text with a quote', `["\\"", ${'['.repeat(33)}${']'.repeat(33)}]`],
  ['33 deep without an end', '['.repeat(33)],
])('refuses %s before it is parsed', (_, text) => {
  expect(() => read(text)).toThrow('nested more than 32 deep');
});

it('refuses a text without an end as JSON does', () => {
  expect(() => read(`{"a": "${'['.repeat(100)}`)).toThrow(/unterminated/i);
});
