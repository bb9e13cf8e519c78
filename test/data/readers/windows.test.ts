// Needs the features jsonl and parquet.
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { loadDataset } from '../../../src/data/load.ts';
import { readSplit } from '../../../src/data/readers/read.ts';
import type { WindowConfig } from '../../../src/data/config.ts';
import type { Dataset } from '../../../src/data/dataset.ts';
import { rows, temporaryFolder, userError } from '../support.ts';

const folder = temporaryFolder();
let files = 0;

const csv = (text: string): Promise<string> => folder.file(`${files++}.csv`, text);

async function read(text: string | readonly string[], window: WindowConfig, more = {}) {
  const train = typeof text === 'string' ? await csv(text) : await Promise.all(text.map(csv));
  return (await readSplit({ type: 'csv', train, window, ...more }, 'train'))!;
}

async function failure(text: string, window: WindowConfig, more = {}): Promise<string> {
  const { message, hint } = await userError(read(text, window, more));
  return `${message} ${hint}`.replace(/^\S*\/\d+\.csv/, 'x.csv');
}

/** Lines x, y, person, label: x counts the lines from 0, y is -x. */
const table = (people: string, labels = 'a'.repeat(people.length)): string =>
  `x,y,person,label\n${rows(people.length, (i) => `${i},${0 - i},${people[i]!},${labels[i]!}`)}\n`;

function labelsOf({ labels }: Awaited<ReturnType<typeof read>>): (string | undefined)[] {
  if (labels.kind !== 'name') throw new Error('expected names');
  return [...labels.values].map((value) => labels.names[value]);
}

const BY = { steps: 2, group: 'person' } as const;

describe('windows of a table in time', () => {
  it('are the rows that follow each other, a channel for each column but group and label', async () => {
    const split = await read(table('pppppp'), { steps: 3, stride: 2, group: 'person' });
    expect(split.sampleShape).toEqual([3, 2]);
    expect(split.columns).toEqual(['x', 'y']);
    expect([...split.samples]).toEqual([0, 0, 1, -1, 2, -2, 2, -2, 3, -3, 4, -4]);
    expect([...split.ids!]).toEqual([0, 1]);
  });

  it('begin `steps` rows after each other without a stride', async () => {
    const split = await read(table('ppppp'), BY);
    expect([...split.samples].filter((_, i) => i % 4 === 0)).toEqual([0, 2]);
  });

  it('never hold rows of two groups, also where a group comes back', async () => {
    const split = await read(table('aaabbaa'), { ...BY, stride: 1 });
    expect([...split.samples].filter((_, i) => i % 4 === 0)).toEqual([0, 1, 3, 5]);
    expect(split.groups).toEqual({ values: Int32Array.of(0, 0, 1, 0), names: ['a', 'b'] });
  });

  it('tell of groups that are too short, with the place of the first', async () => {
    const { notes } = await read(table('abbcdd'), BY);
    expect(notes!.join().replaceAll(/\S*\/\d+\.csv/g, 'x.csv')).toBe(
      'x.csv: 2 of 6 rows are in no window: 2 of 4 stretches have fewer than 2 rows of one group in a row, the first 1 of "a", which begins at x.csv:2',
    );
  });

  it('never hold rows of two files, each of which is a group without a column of groups', async () => {
    const text = 'x,label\n1,a\n2,a\n3,a\n';
    const split = await read([text, text], { steps: 2, stride: 1 });
    expect([...split.samples]).toEqual([1, 2, 2, 3, 1, 2, 2, 3]);
    expect([...split.groups!.values]).toEqual([0, 0, 1, 1]);
  });

  it('have the label of most rows, of as many the one seen last, and no label if most have none', async () => {
    expect(labelsOf(await read(table('pppppp', 'aabbba'), { steps: 3, group: 'person' }))).toEqual(['a', 'b']);
    expect(labelsOf(await read(table('pppp', 'abba'), BY))).toEqual(['b', 'a']);
    const gaps = 'x,label\n1,a\n2,\n3,\n';
    expect(labelsOf(await read(gaps, { steps: 3 }))).toEqual([undefined]);
  });

  it('have the label of their last row where the recipe or the task asks for it', async () => {
    const last = { ...BY, steps: 3, label: 'last' } as const;
    expect(labelsOf(await read(table('ppp', 'aab'), last))).toEqual(['b']);
    const numbers = await read(table('ppp', '123'), { ...BY, steps: 3 }, { task: 'regression' });
    expect(labelsOf(numbers)).toEqual(['3']);
  });

  it.each([
    ['a group without a name', 'x,person,label\n1,p,a\n2,,a\n', BY, {}, 'x.csv:3: column "person": missing value (empty), expected the group'],
    ['a missing value', 'x,person,label\n1,p,a\n,p,a\n', BY, {}, 'x.csv:3: column "x": missing value (empty)'],
    ['NaN', 'x,person,label\n1,p,a\nNaN,p,a\n', BY, {}, 'x.csv:3: column "x": missing value'],
    ['a word', 'x,person,label\n1,p,a\nfast,p,a\n', BY, {}, 'x.csv:3: column "x": expected a number, received "fast"'],
    ['a group that no column has', table('pp'), { ...BY, group: 'persons' }, {}, 'window.group: no column "persons" among the features: x, y, person Did you mean "person"? Name the column that says to whom or what a row belongs'],
    ['no stretch that is long enough', table('ppqq'), { ...BY, steps: 3 }, {}, 'x.csv: window.steps: no 3 rows of one group follow each other; the most are 2 of 4 rows'],
    ['no channel', 'person,label\np,a\np,a\n', BY, {}, 'x.csv: no columns of numbers beside the group'],
    ['columns of words', table('pp'), BY, { categorical: ['x'] }, 'dataset.window: the rows of a window are numbers, received categorical too'],
    ['a majority of numbers', table('pp', '12'), { ...BY, label: 'majority' as const }, { task: 'regression' }, 'window.label: majority is for classes, received task: regression'],
  ])('refuse %s', async (_, text, window, more, message) => {
    expect(await failure(text, window, more)).toContain(message);
  }); // prettier-ignore

  it('never span a row that is dropped', async () => {
    const split = await read('x,label\n1,a\n2,a\n,a\n4,a\n5,a\n6,a\n', { steps: 2, stride: 1 }, { missing: 'drop' });
    expect([...split.samples]).toEqual([1, 2, 4, 5, 5, 6]);
  });

  it('are the same from Parquet, JSON lines and packed CSV', async () => {
    const people = 'aaabbb';
    const window = { steps: 2, stride: 1, group: 'person' };
    const expected = await read(table(people), window);
    const lines = Array.from(people, (person, i) => JSON.stringify({ x: i, y: -i, person, label: 'a' })).join('\n');
    const jsonl = await folder.file('windows.jsonl', lines);
    const packed = await folder.file('windows.csv.gz', gzipSync(table(people)));
    const parquet = path.resolve('test/data/fixtures/windows.parquet');
    for (const [type, train, more] of [
      ['parquet', parquet, {}],
      ['parquet', parquet, { features: ['x', 'y'] }],
      ['jsonl', jsonl, {}],
      ['jsonl', jsonl, { features: ['x', 'y'] }],
      ['csv', packed, {}],
    ] as const) {
      const split = await readSplit({ type, train, window, ...more }, 'train');
      expect([...split!.samples]).toEqual([...expected.samples]);
      expect(split!.groups).toEqual(expected.groups);
      expect(split!.columns).toEqual(['x', 'y']);
    }
  });
});

describe('splits of windows', () => {
  const people = Array.from({ length: 12 }, (_, i) => String.fromCharCode(97 + i).repeat(10 + i)).join('');
  const labels = Array.from(people, (_, i) => (i % 9 < 4 ? 'u' : 'v')).join('');
  const load = async (text: string, more = {}) =>
    loadDataset({ type: 'csv', train: await csv(text), window: { steps: 4, stride: 2, group: 'person' }, ...more });

  /** Numbers of the lines in a data set, of which each belongs to one person. */
  const peopleOf = ({ samples }: Dataset): Set<string> =>
    new Set([...samples].filter((_, i) => i % 2 === 0).map((line) => people[line]!));

  it('never divide a group, and have about the size and the classes that are asked for', async () => {
    const { train, validation, test } = await load(table(people, labels), { testFraction: 0.3, validation: 0.2 });
    const [a, b, c] = [train, validation, test!].map(peopleOf) as [Set<string>, Set<string>, Set<string>];
    expect(a.size + b.size + c.size).toBe(12);
    expect(new Set([...a, ...b, ...c]).size).toBe(12);
    const all = train.count + validation.count + test!.count;
    expect(Math.abs(test!.count / all - 0.3)).toBeLessThan(0.06);
    expect(new Set(validation.targets).size).toBe(2);
  });

  it('are the same for the same seed, and others for another', async () => {
    const of = async (splitSeed: number) => [...peopleOf((await load(table(people, labels), { splitSeed, validation: 0.3 })).validation)]; // prettier-ignore
    expect(await of(1)).toEqual(await of(1));
    expect(await of(1)).not.toEqual(await of(2));
  });

  it('refuse to draw from a single group', async () => {
    const { message } = await userError(load(table('pppppppp', 'uvuvuvuv')));
    expect(message).toMatch(/validation: all 3 windows of .* are of one group, p, and a group is in one split/);
  });

  it('normalize each channel over train', async () => {
    const { train } = await load(table(people, labels));
    expect(train.sampleShape).toEqual([4, 2]);
    expect(train.normalization.mean).toHaveLength(2);
    expect(train.normalization.mean[0]).toBeCloseTo(-train.normalization.mean[1]!);
  });

  it('stay sequences where a network of pictures would read them', async () => {
    const train = await csv(table(people, labels));
    const window = { steps: 4, group: 'person' };
    const data = await loadDataset({ type: 'csv', train, window }, { arePictures: () => Promise.resolve(true) });
    expect(data.train.sampleShape).toEqual([4, 2]);
  });

  it('tell of groups that the test has in common with train', async () => {
    const test = await csv(table('aaaazzzz', 'uvuvuvuv'));
    const { warnings } = await load(table(people, labels), { test });
    expect(warnings.join()).toContain('test has 1 groups of windows that train has too: a;');
  });

  it('are joined by windows without labels, of which a limit draws some', async () => {
    const unlabelled = await csv('x,y,person\n1,2,z\n3,4,z\n5,6,z\n7,8,z\n');
    const { train } = await load(table(people, labels), { unlabelled });
    expect(train.labelled!.at(-1)).toBe(0);
    expect([...train.samples.subarray(-8)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const { train: some } = await load(table(people, labels), { unlabelled, limit: 20 });
    expect([some.count, some.samples.length]).toEqual([20, 160]);
  });

  it('fill a missing value with the mean of its channel', async () => {
    const text = table(people, labels).replace('\n0,', '\n,');
    const { train, validation } = await load(text, { missing: 'mean' });
    const mean = (people.length * (people.length - 1)) / 2 / (people.length - 1);
    const filled = [train, validation].flatMap(({ samples }) => [...samples]).find((value) => value > 0 && value % 1 !== 0); // prettier-ignore
    expect(Math.abs(filled! - mean)).toBeLessThan(12);
  });
});
