import { loadDataset } from '../../src/data/load.ts';
import { labels as readers } from '../../src/answers/labels/labels.ts';
import { targetsOf } from '../../src/data/targets/registry.ts';
import { csvReader, rows, temporaryFolder, userError } from './support.ts';

const folder = temporaryFolder();
const labels = readers['multi-label']!;
const csv = csvReader(folder, 'multi-label', 'labels.csv');

describe('several labels of a sample', () => {
  it('are columns of 0 and 1, true and false, and every split keeps its own', async () => {
    const text = `x,odd,small\n${rows(10, (i) => `${i},${i % 2},${i < 5 ? 'True' : 'false'}`)}`;
    const { train, validation, classNames, task } = await csv(text, { label: ['small', 'odd'] });
    expect([task, ...classNames]).toEqual(['multi-label', 'small', 'odd']);
    expect([train.count, validation.count]).toEqual([8, 2]);
    for (const split of [train, validation])
      expect([...split.targets]).toEqual([...split.samples].flatMap((x) => [x < 5 ? 1 : 0, x % 2]));
    expect([...targetsOf(train, [1])]).toEqual([...train.targets.slice(2, 4)]);
  });

  it('are a column that lists them, with an empty one of a sample without any', async () => {
    const all = ['sea', 'sun|sea', '', 'sun'];
    const { train, classNames } = await csv(`x,label\n${rows(8, (i) => `${i},${all[i % 4]!}`)}`);
    expect(classNames).toEqual(['sea', 'sun']);
    const bits = [
      [1, 0],
      [1, 1],
      [0, 0],
      [0, 1],
    ];
    expect([...train.targets]).toEqual([...train.samples].flatMap((x) => bits[x % 4]!));
  });

  it('are a list in JSON lines, of the labels that a recipe names', async () => {
    const lines = rows(6, (i) => JSON.stringify({ features: [i, 1], label: i % 3 === 0 ? [] : [i % 3, 0] }));
    const train = await folder.file('labels.jsonl', lines);
    const classes = ['0', '1', '2'];
    const data = await loadDataset({ type: 'jsonl', task: 'multi-label', train, validation: 1, classes });
    const [x] = data.train.samples;
    expect([...targetsOf(data.train, [0])]).toEqual(
      x! % 3 === 0 ? [0, 0, 0] : [1, x! % 3 === 1 ? 1 : 0, x! % 3 === 2 ? 1 : 0],
    );
  });

  it('are an array of 0 and 1', () => {
    const split = {
      ...{ source: 'y.npy', sampleShape: [1], samples: new Float32Array(2) },
      labels: { kind: 'numbers' as const, values: Float32Array.of(1, 0, 0, 1, 1, 0), width: 3 },
    };
    expect(labels.names(split, {})).toEqual(['label[0]', 'label[1]', 'label[2]']);
    expect([...labels.values(split, ['a', 'b', 'c'], {})]).toEqual([1, 0, 0, 1, 1, 0]);
    expect(() => labels.values(split, ['a', 'b'], {})).toThrow('y.npy: 3 labels for each sample, expected 2: a, b');
    split.labels.values[4] = 2;
    expect(() => labels.values(split, ['a', 'b', 'c'], {})).toThrow(
      'y.npy: sample 1: the label b is 2, expected 0 or 1',
    );
  });

  it.each([
    [
      'a word',
      'x,a,b\n1,0,1\n2,yes,1\n3,1,0',
      { label: ['a', 'b'] },
      /labels.csv:3: the label a is "yes", expected 0 or 1$/,
    ],
    [
      'another number',
      'x,a,b\n1,0,1\n2,1,2\n3,1,0',
      { label: ['a', 'b'] },
      /labels.csv:3: the label b is "2", expected 0 or 1$/,
    ],
    [
      'nothing',
      'x,a,b\n1,0,1\n2,,1\n3,1,0',
      { label: ['a', 'b'] },
      /labels.csv:3: the label in "a" is empty, and others of the sample are not$/,
    ],
    [
      'one column of 0 and 1',
      'x,label\n1,0\n2,1\n3,1',
      {},
      /labels.csv: the only label column lists "0" and "1", expected/,
    ],
    [
      'an unknown label',
      'x,label\n1,a\n2,b|c\n3,a',
      { classes: ['a', 'b'] },
      /labels.csv:3: unknown label "c", expected one of/,
    ],
    [
      'class weights',
      'x,label\n1,a\n2,b',
      { classWeights: 'balanced' },
      /dataset.classWeights: not read by the task multi-label/,
    ],
    [
      'names beside columns',
      'x,a,b\n1,0,1\n2,1,1',
      { label: ['a', 'b'], classes: ['c', 'd'] },
      /dataset.classes: not read beside several/,
    ],
  ])('refuses %s by name', async (_, text, more, message) => {
    expect((await userError(csv(text, more))).message).toMatch(message);
  });

  it('says which label never changes', async () => {
    const { warnings } = await csv(`x,a,b\n${rows(8, (i) => `${i},${i % 2},0`)}`, { label: ['a', 'b'] });
    expect(warnings).toContain('train: no sample has the label b');
  });
});
