import { loadDataset } from '../../src/data/load.ts';
import { targetsOf } from '../../src/data/targets/registry.ts';
import { csvReader, rows, temporaryFolder, userError } from './support.ts';

const folder = temporaryFolder();
const csv = csvReader(folder, 'regression', 'numbers.csv');

describe('numbers to predict', () => {
  it('are one column, and every split keeps its own', async () => {
    const text = `a,height\n${rows(10, (i) => `${i},${10 * i + 0.5}`)}`;
    const { train, validation, classNames, task } = await csv(text, { label: 'height' });
    expect([task, ...classNames]).toEqual(['regression', 'height']);
    for (const split of [train, validation])
      expect([...split.targets]).toEqual([...split.samples].map((value) => 10 * value + 0.5));
    expect([train.count, validation.count]).toEqual([8, 2]);
    const mean = [...train.targets].reduce((sum, value) => sum + value, 0) / 8;
    expect(train.scaling!.mean[0]).toBeCloseTo(mean, 6);
    // That of train, whichever split is asked.
    expect(validation.scaling).toEqual(train.scaling);
  });

  it('have no name where the file has none', async () => {
    const text = rows(6, (i) => `${i},${2 * i}`);
    expect((await csv(text, { header: false })).classNames).toEqual(['target']);
    expect((await csv(`x,size\n${text}`, { label: 'size', labelled: 0 })).classNames).toEqual(['size']);
  });

  it('are several columns, by name', async () => {
    const { train, classNames } = await csv(`x,a,b\n${rows(6, (i) => `${i},${2 * i},${-i}`)}`, { label: ['b', 'a'] });
    expect(classNames).toEqual(['b', 'a']);
    expect(train.sampleShape).toEqual([1]);
    expect([...targetsOf(train, [1])]).toEqual([-train.samples[1]!, 2 * train.samples[1]!]);
  });

  it('are a column that lists them', async () => {
    const { train, classNames } = await csv(`x,label\n${rows(6, (i) => `${i},${2 * i}/${-i}`)}`, { separator: '/' });
    expect(classNames).toEqual(['label[0]', 'label[1]']);
    expect([...targetsOf(train, [1])]).toEqual([2 * train.samples[1]!, -train.samples[1]!]);
  });

  it('are a list in JSON lines', async () => {
    const text = rows(5, (i) => JSON.stringify({ features: [i, 1], label: [i / 2, i] }));
    const train = await folder.file('numbers.jsonl', text);
    const data = await loadDataset({ type: 'jsonl', task: 'regression', train, validation: 1 });
    expect(data.classNames).toHaveLength(2);
    expect([...targetsOf(data.train, [0])]).toEqual([data.train.samples[0]! / 2, data.train.samples[0]!]);
  });

  it.each([
    ['a word', 'x,label\n1,2.5\n2,tall\n3,1', /numbers.csv:3: the label is "tall", expected a finite float32 number$/],
    ['infinity', 'x,label\n1,2.5\n2,1e99\n3,1', /numbers.csv:3: the label is "1e99", expected a finite/],
    [
      'another number of them',
      'x,label\n1,2|3\n2,4\n3,1|1',
      /numbers.csv:3: 1 number to predict, expected 2 as in train$/,
    ],
  ])('refuses %s with its place', async (_, text, message) => {
    expect((await userError(csv(text))).message).toMatch(message);
  });

  it('refuses keys that are about classes', async () => {
    const text = 'x,label\n1,2\n2,3\n3,1\n4,2';
    expect((await userError(csv(text, { classes: ['a', 'b'] }))).message).toBe(
      'dataset.classes: not read by the task regression, received ["a","b"]',
    );
    expect((await userError(csv(text, { classWeights: 'balanced' }))).message).toContain('dataset.classWeights');
  });

  it('says which number never changes', async () => {
    const { warnings } = await csv(`x,a,b\n${rows(8, (i) => `${i},${i},7`)}`, { label: ['a', 'b'] });
    expect(warnings).toContain('train: b is 7 for every sample');
  });

  it('says of large numbers that are all the same that they are, and does not ask to take an offset off', async () => {
    const { warnings } = await csv(`x,big,label\n${rows(8, (i) => `${i},20000000,20000000`)}`);
    expect(warnings).toContain('train: label is 20000000 for every sample');
    expect(warnings.filter((warning) => warning.includes('float32'))).toEqual([
      expect.stringMatching(
        /^train: the column big is read as 20000000 for every sample, .* in steps of 2: smaller differences/,
      ),
    ]);
  });

  it('says where float32 hardly tells numbers apart, in columns and labels', async () => {
    const text = `when,id,big,label\n${rows(9, (i) => `${1.7e9 + 300 * i},${2 ** 53 + i},${i}e12,${2 ** 24 + i}`)}`;
    const { warnings } = await csv(text, { validation: 1 });
    const said = warnings.filter((warning) => warning.includes('float32'));
    expect(said).toEqual([
      expect.stringMatching(
        /^train: label is read as numbers from 167772\d\d to .*, which float32 represents in steps of 2: /,
      ),
      expect.stringMatching(
        /^train: the column when is read as .*, which float32 represents in steps of 128: subtract an offset/,
      ),
      expect.stringMatching(/^train: the column id is read as .* in steps of 1073741824: /),
    ]);
  });
});

it('classes from several columns are refused with what to set', async () => {
  const text = `x,a,b\n${rows(6, (i) => `${i},${i % 2},1`)}`;
  const train = await folder.file('classes.csv', text);
  const { message, hint } = await userError(loadDataset({ type: 'csv', train, label: ['a', 'b'] }));
  expect(message).toMatch(/expected one label column for classes, received the columns a, b$/);
  expect(hint).toContain('`task: regression`');
});
