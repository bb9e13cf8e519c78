import { fileTrials } from '../../src/recipe/grid.ts';
import { parseSource } from '../../src/recipe/source.ts';

const rows = (count: number, row: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => row(i)).join('');

/** Files of strangers that the parser takes minutes for, or that end the process. */
const BOMBS: readonly (readonly [name: string, yaml: string, message: string])[] = [
  ['of many keys', rows(20_000, (i) => `k${i}: 1\n`), '20000 keys in one mapping, expected at most 5000'],
  [
    'of many keys in braces',
    `a: {${rows(6000, (i) => `k${i}${i < 5999 ? ',' : ''}`)}}`,
    '6000 keys in one mapping, expected at most 5000',
  ],
  ['of many letters', `a: ${'b'.repeat(3e6)}`, '3000003 letters, expected at most 2097152'],
  ['of lists in lists', `a: ${'['.repeat(2000)}${']'.repeat(2000)}`, 'values in more than 50 others'],
  ['of lists in lists by signs', `${'- '.repeat(2000)}1`, 'values in more than 50 others'],
  ['of mappings in mappings', rows(1000, (i) => `${' '.repeat(i)}a:\n`), 'values in more than 50 others'],
  ['of mappings as keys', `${'? '.repeat(1000)}1`, 'a key is a list or a mapping, expected a text'],
  ['of many aliases', `a: &a 1\nb: [${'*a,'.repeat(1001)}]`, 'more than 1000 aliases, expected at most 1000'],
];

it.each(BOMBS)('refuses a file %s', (_, yaml, message) => {
  for (const read of [() => parseSource(yaml, 'r.yaml'), () => fileTrials(yaml, 'r.yaml')])
    expect(read).toThrow(`r.yaml: not usable YAML: ${message.startsWith('a key') ? '' : 'received '}${message}`);
});

it('reads as many classes as there are data of, and places of keys', () => {
  const classes = rows(21_000, (i) => `  - class number ${i}\n`);
  const { data, locate } = parseSource(`a: {b: [1, {c: 2}]}\nclasses:\n${classes}`, 'r.yaml');
  expect(data).toMatchObject({ a: { b: [1, { c: 2 }] }, classes: { length: 21_000 } });
  expect(locate(['classes', 20_999])).toEqual({ file: 'r.yaml', line: 21_002, column: 5 });
});
