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
    ['dates for numbers', 'day,label\n2024-01-31,a\n2024-02-01,b\n', {}, /column "day": expected a number or a word, received the date 2024-01-31$/, /days since a date/],
    ['dates for words', 'day,label\n31.1.2024,a\n1.2.2024,b\n', { categorical: ['day'] }, /received the date 31\.1\.2024$/, /month and weekday/],
    ['a shape', TRAIN, { categorical: ['city', 'zip'], shape: [3, 1, 1] }, /shape: expected none beside columns of words/, /several numbers/],
    ['names of rows', `id,label\n${Array.from({ length: 1001 }, (_, i) => `r${i},${i % 2}`).join('\n')}`, { categorical: ['id'] }, /the column "id" has 1001 different words, e\.g\. "r0"; expected 1000 at most/, /Leave it out/],
  ])('refuses %s', async (_, text, more, message, hint) => {
    const error = await userError(load({ type: 'csv', train: await folder.file('bad.csv', text), ...more }));
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  }); // prettier-ignore
});
