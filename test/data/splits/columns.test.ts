// Needs the feature jsonl.
import type { DatasetConfig } from '../../../src/data/config.ts';
import { numberNames } from '../../../src/data/splits/columns.ts';
import { loadDataset } from '../../../src/data/load.ts';
import { temporaryFolder, userError } from '../support.ts';

const folder = temporaryFolder();
const load = (config: object) => loadDataset({ validation: 2, ...config } as DatasetConfig);
const TRAIN = 'city,age,zip,label\nOslo,1,10,a\nRome,2,20,b\nOslo,3,10,a\nBonn,4,20,b\nRome,5,30,a\nBonn,6,10,b\n';

/** The rows as their words and numbers say, in order of their ids. */
const rowsOf = ({ samples, ids, columns, count }: Awaited<ReturnType<typeof load>>['train']) => {
  const width = numberNames(columns!).length;
  return new Map(Array.from({ length: count }, (_, i) => [ids[i]!, Array.from(samples.subarray(i * width, (i + 1) * width))])); // prettier-ignore
};

describe('columns of words', () => {
  it('become a number of 0 and 1 for each word of train, in order, whatever stands between', async () => {
    const train = await folder.file('train.csv', TRAIN);
    const data = await load({ type: 'csv', train, categorical: ['city', 'zip'] });
    expect(data.train.columns).toEqual([{ name: 'city', words: ['Bonn', 'Oslo', 'Rome'] }, { name: 'age' }, { name: 'zip', words: ['10', '20', '30'] }]); // prettier-ignore
    expect(numberNames(data.train.columns!)).toEqual(['city=Bonn', 'city=Oslo', 'city=Rome', 'age', 'zip=10', 'zip=20', 'zip=30']); // prettier-ignore
    const rows = new Map([...rowsOf(data.train), ...rowsOf(data.validation)]);
    expect(rows.get(0)).toEqual([0, 1, 0, 1, 1, 0, 0]);
    expect(rows.get(4)).toEqual([0, 0, 1, 5, 0, 0, 1]);
    // Words stay 0 and 1, numbers are standardized.
    const { mean, std } = data.train.normalization;
    expect([mean[0], std[0], mean[6], std[6]]).toEqual([0, 1, 0, 1]);
    expect(mean[3]).toBeGreaterThan(1);
  });

  it('of JSON lines; a word that train has not is said and is none of the others', async () => {
    const line = (city: string, age: number, label: string) => JSON.stringify({ city, age, label });
    const [train, test] = [
      await folder.file('train.jsonl', [line('Oslo', 1, 'a'), line('Rome', 2, 'b'), line('Oslo', 3, 'a'), line('Rome', 4, 'b')].join('\n')),
      await folder.file('test.jsonl', [line('Oslo', 1, 'a'), line('Paris', 2, 'b')].join('\n')),
    ]; // prettier-ignore
    const data = await load({ type: 'jsonl', train, test, categorical: ['city'] });
    expect([...rowsOf(data.test!).values()]).toEqual([[1, 0, 1], [0, 0, 2]]); // prettier-ignore
    expect(data.warnings.join('\n')).toMatch(
      /test: 1 of 2 rows have a word in the column city that train does not have, the first "Paris" at .*test\.jsonl:2: models see none of the known words there/,
    );
  });

  it.each(['mean', 'zero'])(
    'that are null in a typed file are none of the words, with missing: %s',
    async (missing) => {
      const cities = ['Oslo', 'Rome', null, 'Oslo', 'Rome', 'Oslo'];
      const lines = cities.map((city, i) => JSON.stringify({ city, age: i, label: i % 2 === 0 ? 'a' : 'b' }));
      const train = await folder.file('nulls.jsonl', lines.join('\n'));
      const data = await load({ type: 'jsonl', train, categorical: ['city'], missing });
      expect(new Map([...rowsOf(data.train), ...rowsOf(data.validation)]).get(2)).toEqual([0, 0, 2]);
    },
  );

  it('may be missing: a row has then none of the words', async () => {
    const train = await folder.file('gaps.csv', TRAIN.replace('Oslo,3', ',3'));
    expect((await userError(load({ type: 'csv', train, categorical: ['city', 'zip'] }))).message).toMatch(/gaps\.csv:4: column "city": missing value \(empty\)$/); // prettier-ignore
    const data = await load({ type: 'csv', train, categorical: ['city', 'zip'], missing: 'mean' });
    const rows = new Map([...rowsOf(data.train), ...rowsOf(data.validation)]);
    expect(rows.get(2)).toEqual([0, 0, 0, 3, 1, 0, 0]);
    // What ships says what stands for a missing value.
    const age = data.train.columns!.find(({ name }) => name === 'age')!.missing!;
    expect(age).toBeCloseTo(
      [...rowsOf(data.train).values()].reduce((sum, row) => sum + row[3]!, 0) / data.train.count,
      4,
    );
    expect(data.train.columns!.map(({ name, missing }) => [name, missing])).toEqual([['city', 0], ['age', age], ['zip', 0]]); // prettier-ignore
  });

  it.each<[string, string, object, RegExp, RegExp]>([
    ['a word where a number is expected', TRAIN, {}, /column "city": expected a number, received "Oslo"/, /`categorical: \[city\]`/],
    ['no such column', TRAIN, { categorical: ['town'] }, /categorical: no column "town" among the features: city, age, zip$/, /Name columns of words/],
    ['dates whose order is open', 'day,label\n01/02/2024,a\n', {}, /bad\.csv:2: column "day": expected a number, or a date of ISO 8601, received the date 01\/02\/2024$/, /as 2024-01-31 or 2024-01-31T10:30:00Z/],
    ['such a date after others', 'day,label\n2024-01-31,a\n1.2.2024,b\n', {}, /bad\.csv:3: .* received the date 1\.2\.2024$/, /as 2024-01-31/],
    ['dates for words', 'day,label\n31.1.2024,a\n1.2.2024,b\n', { categorical: ['day'] }, /expected a word, received the date 31\.1\.2024$/, /read without a key/],
    ['dates of ISO 8601 for words', 'day,label\n2024-01-31,a\n', { categorical: ['day'] }, /expected a word, received the date 2024-01-31$/, /read without a key/],
    ['a day that no month has', 'day,label\n2023-02-30,a\n', {}, /bad\.csv:2: column "day": expected a date that exists, received the date 2023-02-30$/, /Correct the value/],
    ['a word among dates', 'day,label\n2024-01-31,a\nsoon,b\n', {}, /bad\.csv:3: column "day": expected a date, as in rows before it, received "soon"$/, /dates or numbers/],
    ['a number among dates', 'day,label\n2024-01-31,a\n5,b\n', {}, /bad\.csv:3: column "day": expected a date, as in rows before it, received "5"$/, /dates or numbers/],
    ['true among dates', 'day,label\n2024-01-31,a\ntrue,b\n', {}, /expected a date, as in rows before it, received "true"$/, /dates or numbers/],
    ['a date among numbers', 'day,label\n0,a\n2024-01-31,b\n', {}, /bad\.csv:3: column "day": expected a number, as in rows before it, received "2024-01-31"$/, /dates or numbers/],
    ['a missing date', 'day,label\n2024-01-31,a\n,b\n', {}, /bad\.csv:3: column "day": missing value \(empty\)$/, /missing: mean/],
    ['dates beside a shape', 'day,x,label\n2024-01-31,1,a\n', { shape: [2, 1, 1] }, /expected a number, received the date 2024-01-31$/, /without `window`, `shape` and lists/],
    ['dates in a window', 'day,x,label\n2024-01-31,1,a\n', { window: { steps: 1 } }, /expected a number, received the date 2024-01-31$/, /leave the column out/],
    ['a shape', TRAIN, { categorical: ['city', 'zip'], shape: [3, 1, 1] }, /shape: expected none beside columns of words/, /several numbers/],
    ['names of rows', `id,label\n${Array.from({ length: 1001 }, (_, i) => `r${i},${i % 2}`).join('\n')}`, { categorical: ['id'] }, /the column "id" has 1001 different words, e\.g\. "r0"; expected 1000 at most/, /Leave it out/],
  ])('refuses %s', async (_, text, more, message, hint) => {
    const error = await userError(load({ type: 'csv', train: await folder.file('bad.csv', text), ...more }));
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  }); // prettier-ignore
});

describe('columns of dates', () => {
  const DAYS = 'day,x,label\n2024-02-29,1,a\n1969-12-31,2,b\n2024-03-01,3,a\n2000-01-01,4,b\n';
  const PARTS = ['days', 'month', 'day', 'weekday'];

  it('become numbers without a key of the recipe, which are normalized like others', async () => {
    const data = await load({ type: 'csv', train: await folder.file('days.csv', DAYS) });
    expect(data.train.columns).toEqual([{ name: 'day', date: PARTS }, { name: 'x' }]);
    expect(numberNames(data.train.columns!)).toEqual(['day.days', 'day.month', 'day.day', 'day.weekday', 'x']);
    const rows = new Map([...rowsOf(data.train), ...rowsOf(data.validation)]);
    expect([...rows].sort().map(([, row]) => row)).toEqual([
      [19782, 2, 29, 3, 1],
      [-1, 12, 31, 2, 2],
      [19783, 3, 1, 4, 3],
      [10957, 1, 1, 5, 4],
    ]);
    expect(data.train.normalization.mean[0]).not.toBe(0);
    expect(data.train.normalization.std[1]).not.toBe(1);
  });

  it('have an hour where train has times; a time that models do not see is said', async () => {
    const train = await folder.file('times.csv', DAYS.replace('1969-12-31', '1969-12-31T18:30:00-05:00'));
    const data = await load({ type: 'csv', train });
    expect(data.train.columns![0]).toEqual({ name: 'day', date: [...PARTS, 'hour'] });
    const rows = new Map([...rowsOf(data.train), ...rowsOf(data.validation)]);
    expect(rows.get(1)).toEqual([-1, 12, 31, 2, 23.5, 2]);
    const test = await folder.file('later.csv', DAYS.replace('2024-03-01', '2024-03-01 10:00'));
    const other = await load({ type: 'csv', train: await folder.file('days.csv', DAYS), test });
    expect(other.warnings).toContain(
      'test: 1 of 4 rows have a time of day in the column day, in which train has days alone: models see the day alone',
    );
  });

  it.each(['mean', 'zero', 'drop'])('may be missing, also before the first one: missing: %s', async (missing) => {
    const train = await folder.file('gaps.csv', `day,x,label\n,0,a\n${DAYS.slice(12)}NA,5,b\n`);
    const data = await load({ type: 'csv', train, missing });
    const rows = new Map([...rowsOf(data.train), ...rowsOf(data.validation)]);
    expect(rows.get(1)).toEqual([19782, 2, 29, 3, 1]);
    expect(rows.size).toBe(missing === 'drop' ? 4 : 6);
    const own = data.train.columns![0]!.missing as readonly number[] | undefined;
    const known = [...rowsOf(data.train)].filter(([id]) => id > 0 && id < 5).map(([, row]) => row);
    const means = PARTS.map((_, i) => known.reduce((sum, row) => sum + row[i]!, 0) / known.length);
    if (missing === 'drop') expect(own).toBeUndefined();
    else
      expect(own).toEqual(missing === 'zero' ? [0, 0, 0, 0] : means.map((mean) => expect.closeTo(mean, 2) as number));
    for (const id of missing === 'drop' ? [] : [0, 5]) expect(rows.get(id)!.slice(0, 4)).toEqual(own);
  });

  it('are refused in a table that does not fit into memory', async () => {
    const train = await folder.file('large.csv', DAYS + '2024-01-01,1,a\n'.repeat(2000));
    const error = await userError(loadDataset({ type: 'csv', train }, { memory: 1000 }));
    expect(error.message).toMatch(/large\.csv: column "day" holds dates, and the rows do not fit into memory$/);
    expect(error.hint).toMatch(/^Free memory, use fewer rows/);
  });

  it('of JSON lines, and what other splits hold in their place is refused', async () => {
    const lines = (...days: unknown[]) => days.map((day, i) => JSON.stringify({ day, label: i % 2 })).join('\n');
    const dates = await folder.file('dates.jsonl', lines('2024-01-31', '2024-02-01', '2024-02-02', '2024-02-03'));
    const count = await folder.file('count.jsonl', lines(1, 2, 3, 4));
    const data = await load({ type: 'jsonl', train: dates });
    expect(data.train.columns).toEqual([{ name: 'day', date: PARTS }]);
    const asked = (train: string, test: string) => userError(load({ type: 'jsonl', train, test }));
    expect((await asked(dates, count)).message).toMatch(
      /count\.jsonl: the column "day" has no date, and dates in train$/,
    );
    expect((await asked(count, dates)).message).toMatch(/dates\.jsonl: the column "day" has dates, and none in train$/);
    const mixed = await folder.file('mixed.jsonl', lines('2024-01-31', 5));
    expect((await userError(load({ type: 'jsonl', train: mixed }))).message).toMatch(/mixed\.jsonl:2: column "day": expected a date, as in rows before it, received 5$/); // prettier-ignore
    const list = await folder.file('list.jsonl', JSON.stringify({ features: [1, '2024-01-31'], label: 0 }));
    expect((await userError(load({ type: 'jsonl', train: list }))).message).toMatch(/received the date 2024-01-31$/);
  });
});
