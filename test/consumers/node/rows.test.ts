// Needs the feature numbers.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import vm from 'node:vm';
import { RandomStream } from '../../../src/base/random.ts';
import { loadDataset } from '../../../src/data/load.ts';
import type { Column } from '../../../src/data/dataset.ts';
import { normalized } from '../../../src/data/normalized.ts';
import { loadKit } from '../../../src/ship/kit/forms.ts';
import { nodeSample } from '../../../src/consumers/node/program.ts';
import { sampleFile } from '../../../src/ship/kit/samples.ts';
import { unknownWords } from '../../../src/serve/v1/unknown.ts';
import { valuesOf } from '../../../src/serve/v1/read.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();

const columns = [{ name: 'open', words: ['False', 'True'] }, { name: 'grade', words: ['1.0', '2.0', '3'] }, { name: 'size' }]; // prettier-ignore

/** The function of the program for Node that reads rows of a table. */
async function encoder(own: readonly Column[] = columns): Promise<(row: object) => number[]> {
  return (await rowFunctions(own)).encode;
}

async function rowFunctions(own: readonly Column[] = columns) {
  const { 'classify.mjs': script, 'dates.js': dates } = await nodeSample('classes', 'columns');
  const [from, to] = [
    script!.indexOf('export function encode'),
    script!.indexOf('/** Values as the model was trained'),
  ];
  const body = `${dates}\n${script!.slice(from, to)}`.replaceAll('export ', '');
  return vm.runInNewContext(`${body}; ({ encode, unknownIn })`, { columns: own }) as {
    readonly encode: (row: object) => number[];
    readonly unknownIn: (row: object) => string[];
  };
}

it.each<object>([
  { open: 'True', grade: '2.0', size: 1.5 },
  { open: true, grade: 2, size: 1.5 },
  { open: ' False ', grade: 3, size: true },
  { open: 'true', grade: 2.5, size: 0 },
])('the program for Node makes of a row what the server makes of it: %j', async (row) => {
  const served = valuesOf(Buffer.from(JSON.stringify(row)), { shape: [6], logits: true, columns });
  // Both name the columns with unknown words, and models see 0 for them.
  const unknown = unknownWords(served, { columns })?.[0] ?? [];
  const { encode, unknownIn } = await rowFunctions();
  expect([[...encode(row)], [...unknownIn(row)]]).toEqual([[...served], unknown]);
});

it.each<[object, number[]]>([
  [{ open: null, grade: 3, size: null }, [0, 0, 0, 0, 1, 2.5]],
  [{ open: 'True', grade: null, size: 1 }, [0, 1, 0, 0, 0, 1]],
])(
  'a missing value is what train had in its place, in the program for Node and the server: %j',
  async (row, expected) => {
    const filled = columns.map((column) => ({ ...column, missing: column.words === undefined ? 2.5 : 0 }));
    const served = valuesOf(Buffer.from(JSON.stringify(row)), { shape: [6], logits: true, columns: filled });
    expect([[...(await encoder(filled))(row)], [...served]]).toEqual([expected, expected]);
  },
);

/** Dates of 400 years before and after 1970, of all forms, with a random zone. */
function randomDate(random: RandomStream): string {
  const whole = (below: number): number => Math.floor(random.uniform() * below);
  const two = (value: number): string => String(value).padStart(2, '0');
  const [year, month] = [1570 + whole(800), 1 + whole(12)];
  const day = 1 + whole(new Date(Date.UTC(year, month, 0)).getUTCDate());
  const zones = ['', 'Z', '+00:00', `+${two(whole(15))}:30`, `-${two(whole(13))}45`, `-${two(whole(13))}`];
  const seconds = ['', `:${two(whole(60))}`, `:${two(whole(60))}.${two(whole(100))}`][whole(3)]!;
  const time = `${'T '[whole(2)]!}${two(whole(24))}:${two(whole(60))}${seconds}${zones[whole(6)]!}`;
  return `${year}-${two(month)}-${two(day)}${whole(4) === 0 ? '' : time}`;
}

it('dates are the same numbers to the reader, the server and the program for Node', async () => {
  const random = new RandomStream('dates');
  const dates = ['2024-02-29', '1900-02-28T23:59:59.999Z', '1969-12-31T23:59:59+14:30', ...Array.from({ length: 2000 }, () => randomDate(random))]; // prettier-ignore
  const train = path.join(folder(), 'dates.csv');
  await writeFile(train, ['day,label', ...dates.map((date, i) => `${date},${i % 2}`), ''].join('\n'));
  const { samples, columns: own, ids, count } = (await loadDataset({ type: 'csv', train })).train;
  expect(own).toEqual([{ name: 'day', date: ['days', 'month', 'day', 'weekday', 'hour'] }]);
  expect(count).toBeGreaterThan(1800);
  const encode = await encoder(own);
  for (let row = 0; row < count; row++) {
    const given = { day: dates[ids[row]!]! };
    const read = [...samples.subarray(5 * row, 5 * row + 5)];
    expect([given, ...encode(given)]).toEqual([given, ...read]);
    expect([...valuesOf(Buffer.from(JSON.stringify(given)), { shape: [5], logits: true, columns: own! })]).toEqual(
      read,
    );
  }
});

it('a missing date is what train had in its place, and other values are refused', async () => {
  const own: Column[] = [{ name: 'day', date: ['days', 'month'], missing: [5.5, 2] }];
  const served = (row: object) => [...valuesOf(Buffer.from(JSON.stringify(row)), { shape: [2], logits: true, columns: own })]; // prettier-ignore
  const encode = await encoder(own);
  for (const run of [served, encode]) {
    expect([...run({ day: null })]).toEqual([5.5, 2]);
    expect([...run({ day: ' 1970-02-01T10:00:00Z' })]).toEqual([31, 2]);
    for (const day of ['2023-02-30', '1.2.2024', 5, true, 'soon'])
      expect(() => run({ day })).toThrow(/expected a date.* 2024-01-31 or 2024-01-31T10:30:00Z, received /);
  }
  expect(served([[null, null]])).toEqual([5.5, 2]);
});

it('a missing number of a row without words is what train had in its place', () => {
  const filled = [
    { name: 'a', missing: 1.5 },
    { name: 'b', missing: 0 },
  ];
  const body = Buffer.from('[[null, 3], [4, null]]');
  expect([...valuesOf(body, { shape: [2], logits: true, columns: filled })]).toEqual([1.5, 3, 4, 0]);
  expect(() => valuesOf(body, { shape: [2], logits: true, columns: [{ name: 'a' }, { name: 'b' }] })).toThrow();
});

it.each<[object, string]>([
  [{ open: 'True', grade: 1, size: null }, 'column size: expected a number, received null'],
  [{ open: 'True', grade: 1, size: '' }, 'column size: expected a number, received '],
  [{ open: 'True', grade: 1, size: 'large' }, 'column size: expected a number, received large'],
  [{ open: null, grade: 1, size: 1 }, 'column open: expected a word, received null'],
  [{ open: 'True', grade: 2 ** 60, size: 1 }, 'column grade: 1152921504606847000 has more digits'],
  [{ open: 'True', size: 1 }, 'no column grade'],
])('the program for Node refuses %j', async (row, message) => {
  const encode = await encoder();
  expect(() => encode(row)).toThrow(message);
});

it('the samples in JavaScript prepare as many numbers as the model takes, and nothing else', () => {
  const globals = { normalized, normalization: { scale: 2, mean: [1, 3], std: [1, 2] }, input: { shape: [1, 2] } };
  const script = `${sampleFile('prepare.js').replace('export ', '')}; prepare`;
  const prepare = vm.runInNewContext(script, globals) as (raw: unknown) => Float32Array;
  expect([...prepare([2, 4])]).toEqual([3, 2.5]);
  expect([...prepare(Float32Array.of(2, 4))]).toEqual([3, 2.5]);
  expect(() => prepare([2, 4, 2, 4])).toThrow('expected 2 numbers, received 4');
  expect(() => prepare([2, null])).toThrow('value 1: expected a number, received null');
  Object.assign(globals.normalization, { missing: [5, 7] });
  expect([...prepare([2, null])]).toEqual([3, 5.5]);
  expect(() => prepare([1e39, 4])).toThrow('value 0: expected a number, received 1e+39');
});

it('samples of a table of numbers take rows by the names of their columns too', async () => {
  const kit = await loadKit('numbers');
  const kindOf = (names: readonly string[], sampleShape: readonly number[]) =>
    kit.kindOf({ columns: names.map((name) => ({ name })), sampleShape });
  expect(kindOf(['age', 'size'], [2])).toBe('columns');
  expect(kindOf(['0', '1'], [2])).toBe('numbers');
  expect(kindOf(['pixel', 'other'], [1, 2, 1])).toBe('numbers');
});
