// Needs the feature jsonl.
import { zipSync } from 'fflate';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { batches } from '../../../src/data/batches/batches.ts';
import type { DatasetConfig } from '../../../src/data/config.ts';
import { fingerprint } from '../../../src/data/dataset.ts';
import type { Originals } from '../../../src/data/dataset.ts';
import { labelledCount, labelledOf } from '../../../src/data/readers/labelled.ts';
import { loadDataset } from '../../../src/data/load.ts';
import { npyBytes } from '../../../src/data/readers/numpy/npy.ts';
import { wavFile } from '../../support/sound.ts';
import { idx, temporaryFolder, userError } from '../support.ts';

const folder = temporaryFolder();
const load = (config: object) => loadDataset({ validation: 4, ...config } as DatasetConfig);

/** 40 rows; the label of every fourth is missing. */
const rows = (label: (i: number) => string | number = (i) => i % 2): string =>
  `a,label\n${Array.from({ length: 40 }, (_, i) => `${i},${i % 4 === 3 ? '' : label(i)}`).join('\n')}\n`;

/** What a sample is called by its first feature, with its label. */
const pairs = ({ samples, targets, labelled, count }: Awaited<ReturnType<typeof load>>['train']) =>
  Array.from({ length: count }, (_, i) => [samples[i]!, labelled?.[i] === 0 ? undefined : targets[i]]);

describe('rows without a label', () => {
  it('stay in train, with all other labels in their places; what is scored is taken from the others', async () => {
    const train = await folder.file('some.csv', rows());
    const data = await load({ type: 'csv', train });
    expect(data.unlabelledAt).toMatch(/some\.csv:5$/);
    expect([data.train.count, data.validation.count, labelledCount(data.train)]).toEqual([36, 4, 26]);
    expect(data.validation.labelled).toBeUndefined();
    for (const [a, label] of pairs(data.train)) expect(label).toBe(a! % 4 === 3 ? undefined : a! % 2);
    const subset = labelledOf(data.train);
    expect(pairs(subset).map(([a]) => a)).toEqual(
      pairs(data.train).flatMap(([a, label]) => (label === undefined ? [] : [a])),
    );
    expect(Array.from(subset.ids)).toEqual(Array.from(subset.samples));
  });

  it.each<[string, object, string]>([
    ['numbers', { task: 'regression' }, rows((i) => i / 2)],
    [
      'lists of labels are never missing',
      { task: 'multi-label', classes: ['x', 'y'] },
      rows((i) => (i % 2 ? 'x|y' : 'y')),
    ],
  ])('%s', async (name, more, text) => {
    const data = await load({ type: 'csv', train: await folder.file('kinds.csv', text), ...more });
    if (name.startsWith('lists')) expect(data.train.labelled).toBeUndefined();
    else {
      expect(labelledCount(data.train)).toBe(26);
      // As large as the others, so that a loss that counts for nothing is finite.
      const { targets, labelled, scaling } = data.train;
      targets.forEach((target, i) => labelled![i] === 0 && expect(target).toBeCloseTo(scaling!.mean[0]!, 5));
      expect(scaling!.mean[0]).toBeCloseTo(
        Array.from(labelledOf(data.train).targets).reduce((a, b) => a + b, 0) / 26,
        5,
      );
    }
  });

  it('of JSON lines, NumPy arrays and several columns', async () => {
    const lines = Array.from({ length: 20 }, (_, i) =>
      JSON.stringify({ features: [i], ...(i % 4 !== 3 && { label: i % 8 === 2 ? null : i % 2 }) }),
    );
    const jsonl = await load({ type: 'jsonl', train: await folder.file('some.jsonl', lines.join('\n')) });
    expect(labelledCount(jsonl.train) + 4).toBe(20 - 5 - 3);
    const x = npyBytes(
      [20, 1],
      Float32Array.from({ length: 20 }, (_, i) => i),
    );
    const y = npyBytes(
      [20],
      Int32Array.from({ length: 20 }, (_, i) => (i % 4 === 3 ? -1 : i % 2)),
    );
    const npz = await folder.file('some.npz', zipSync({ 'x.npy': x, 'y.npy': y }));
    expect(labelledCount((await load({ type: 'npz', train: { file: npz } })).train)).toBe(11);
    const both = rows((i) => `${i % 2},${i % 3 ? 1 : 0}`)
      .replaceAll(/,$/gm, ',,')
      .replace('a,label', 'a,b,c');
    const config = { type: 'csv', task: 'multi-label', label: ['b', 'c'], train: await folder.file('both.csv', both) };
    expect(labelledCount((await load(config)).train)).toBe(26);
  });

  it('are in a batch as they are, in a mixed one where either has none', async () => {
    const { train } = await load({ type: 'csv', train: await folder.file('some.csv', rows()) });
    const order = { batchSize: 36, seed: 1, epoch: 0 };
    const [plain] = [...batches(train, order)];
    expect(Array.from(plain!.labelled!)).toEqual(Array.from(plain!.ids, (row) => train.labelled![row]));
    const [mixed] = [...batches(train, { ...order, augment: [{ mixup: 1 }], classWeights: Float32Array.of(3, 3) })];
    const { partners } = mixed!.mix!;
    expect(Array.from(mixed!.labelled!)).toEqual(
      Array.from(mixed!.ids, (row, i) => train.labelled![row]! & train.labelled![mixed!.ids[partners[i]!]!]!),
    );
    const [weighed] = [...batches(train, { ...order, classWeights: Float32Array.of(3, 3) })];
    weighed!.weights!.forEach((weight, i) => expect(weight).toBe(weighed!.labelled![i] === 1 ? 3 : 1));
  });
});

describe('files without labels', () => {
  it('come behind train, of every format, and their own labels are not read', async () => {
    const train = await folder.file(
      'train.csv',
      `a,label\n${[0, 1, 2, 3, 4, 5].map((i) => `${i},${i % 2}`).join('\n')}`,
    );
    const pool = await folder.file('pool.csv', 'a\n100\n101');
    const wrong = await folder.file('wrong.csv', 'a,label\n100,nonsense\n101,1');
    for (const unlabelled of [pool, wrong]) {
      const { train: split, classNames } = await load({ type: 'csv', train, unlabelled, validation: 2 });
      expect(classNames).toEqual(['0', '1']);
      expect(pairs(split).slice(-2)).toEqual([[100, undefined], [101, undefined]]); // prettier-ignore
      expect(new Set(split.ids).size).toBe(6);
    }
    const pictures = { images: await folder.file('i.idx', idx(8, [6, 1, 2], [...Array(12).keys()])), labels: await folder.file('l.idx', idx(8, [6], [0, 1, 0, 1, 0, 1])) }; // prettier-ignore
    const data = await load({ type: 'idx', train: pictures, unlabelled: { images: pictures.images }, validation: 2 });
    expect([data.train.count, labelledCount(data.train)]).toEqual([10, 4]);
    expect(fingerprint(data.train)).not.toBe(fingerprint({ ...data.train, labelled: undefined }));
    const x = npyBytes([6, 1], Float32Array.of(0, 1, 2, 3, 4, 5));
    const y = npyBytes([6], Int32Array.of(0, 1, 0, 1, 0, 1));
    const file = await folder.file('a.npz', zipSync({ 'x.npy': x, 'y.npy': y, 'pool.npy': x }));
    const arrays = { type: 'npz', train: { file }, unlabelled: { file, samples: 'pool' }, validation: 2 };
    expect((await load(arrays)).train.count).toBe(10);
  });

  it('and folders of pictures, at any depth', async () => {
    for (const name of ['set/cat', 'set/dog', 'pool/deep']) {
      await mkdir(path.join(folder.path, name), { recursive: true });
      for (let i = 0; i < 3; i++)
        await sharp({ create: { width: 2, height: 2, channels: 3, background: { r: i * 9, g: 0, b: 0 } } })
          .png()
          .toFile(path.join(folder.path, name, `${i}.png`));
    }
    const [train, unlabelled] = ['set', 'pool'].map((name) => path.join(folder.path, name));
    const data = await load({ type: 'image-folder', train, unlabelled, validation: 2 });
    expect([data.train.count, labelledCount(data.train), data.classNames]).toEqual([7, 4, ['cat', 'dog']]);
    // Whichever samples validation takes, each has its own file, and no id stands for two.
    for (let splitSeed = 1; splitSeed < 6; splitSeed++) {
      const config = { type: 'image-folder', train, unlabelled, validation: 2, splitSeed } as DatasetConfig;
      const kept = await loadDataset(config, { keepOriginals: true });
      const fileOf = ({ originals, ids }: typeof kept.train, row: number) =>
        path.relative(folder.path, (originals as Originals).images[ids[row]!]!.where);
      const seen = [kept.train, kept.validation].flatMap((split) =>
        Array.from(split.ids.keys(), (row) => {
          const [file, red] = [fileOf(split, row), split.samples[row * 12]!];
          expect([file, path.basename(file)]).toEqual([file, `${red / 9}.png`]);
          expect([file, split.labelled?.[row] === 0]).toEqual([file, file.startsWith('pool')]);
          return file;
        }),
      );
      expect(new Set(seen).size).toBe(9);
      expect((kept.validation.originals as Originals).images).toHaveLength(9);
    }
  });

  it('and texts, of which those without labels are not told', async () => {
    const train = await folder.file('texts.csv', 'text,label\ngo,a\nstop,b\non,a\noff,b\n');
    const unlabelled = await folder.file('pool-texts.csv', 'text\nhalt\n');
    const told: string[] = [];
    const config = { type: 'csv', train, unlabelled, text: { column: 'text', length: 4 }, validation: 2 } as const;
    const data = await loadDataset(config, { onText: (id) => told.push(id) });
    expect([data.train.count, labelledCount(data.train), data.train.columns]).toEqual([3, 2, undefined]);
    expect(told.sort()).toEqual(['train/0', 'train/1', 'train/2', 'train/3']);
  });

  it('and sounds', async () => {
    for (const name of ['sounds/high', 'sounds/low', 'hum']) {
      await mkdir(path.join(folder.path, name), { recursive: true });
      for (let i = 0; i < 2; i++)
        await writeFile(path.join(folder.path, name, `${i}.wav`), wavFile([i / 8], { tag: 3, bits: 32, rate: 10 }));
    }
    const [train, unlabelled] = ['sounds', 'hum'].map((name) => path.join(folder.path, name));
    const config = { type: 'audio-folder', train, unlabelled, validation: 2, rate: 10, seconds: 0.1 };
    const data = await load(config);
    expect([data.train.count, labelledCount(data.train), data.classNames]).toEqual([4, 2, ['high', 'low']]);
    const none = await load({ ...config, train: unlabelled, unlabelled: undefined, validation: 1, labelled: 0, classes: ['x'] }); // prettier-ignore
    expect([none.train.count, labelledCount(none.train)]).toEqual([1, 0]);
  });
});

describe('labelled', () => {
  it('keeps so many labels, every class with its share, the same each time', async () => {
    const text = `a,label\n${Array.from({ length: 100 }, (_, i) => `${i},${i % 5 === 0 ? 'rare' : 'usual'}`).join('\n')}`;
    const train = await folder.file('hundred.csv', text);
    const data = await load({ type: 'csv', train, labelled: 10, validation: 20 });
    expect([data.train.count, labelledCount(data.train), data.unlabelledAt]).toEqual([80, 10, undefined]);
    expect(Array.from(labelledOf(data.train).targets).filter((label) => label === 0)).toHaveLength(2);
    for (const [a, label] of pairs(data.train)) if (label !== undefined) expect(label).toBe(a! % 5 === 0 ? 0 : 1);
    // The labels that are not to be known are nowhere: nothing that reads them by mistake learns from them.
    const { targets, labelled } = data.train;
    expect(targets.filter((label, i) => label !== 0 && labelled![i] === 0)).toHaveLength(0);
    const again = await load({ type: 'csv', train, labelled: 10, validation: 20 });
    expect(again.train.labelled).toEqual(data.train.labelled);
    expect(labelledCount((await load({ type: 'csv', train, labelled: 79, validation: 20 })).train)).toBe(79);
    // A trial on fewer samples keeps the share.
    expect((await load({ type: 'csv', train, labelled: 40, validation: 20, limit: 20 })).train.count).toBe(20);
    expect((await userError(load({ type: 'csv', train, labelled: 81, validation: 20 }))).message).toMatch(
      /^labelled: 81 samples of .*hundred\.csv should keep their label, and only 80 have a label to train with$/,
    );
  });

  it('0 reads none, of any split', async () => {
    const [train, test] = [
      await folder.file('pool.csv', 'a\n1\n2\n3\n4\n5\n6'),
      await folder.file('other.csv', 'a\n7\n8'),
    ];
    const data = await load({ type: 'csv', train, test, labelled: 0, classes: ['x', 'y'] });
    expect([data.train, data.validation, data.test!].map(labelledCount)).toEqual([0, 0, 0]);
    expect(data.warnings).toEqual([]);
    const several = { type: 'csv', train, labelled: 0, task: 'regression', label: ['u', 'v'] };
    expect((await load(several)).classNames).toEqual(['u', 'v']);
  });
});

describe('what cannot be scored is refused', () => {
  const good = 'a,label\n1,x\n2,y\n3,x\n4,y\n5,x\n6,y\n';
  it.each<[string, object, Record<string, string>, RegExp, RegExp]>([
    ['a test sample without a label', {}, { test: 'a,label\n1,x\n2,\n' }, /test\.csv:3: the label is empty, in a split that models are scored on/, /`unlabelled`/],
    ['a test split without any', {}, { test: 'a,label\n1,\n2,\n' }, /test\.csv: none of its 2 samples has a label/, /`labelled: 0`/],
    ['a train split without any', {}, { train: 'a,label\n1,\n2,\n' }, /train\.csv: none of its 2 samples has a label/, /`labelled: 0`/],
    ['classes that nobody names', { labelled: 0 }, { train: 'a\n1\n2\n3\n4\n5\n6' }, /dataset\.classes: expected the names of the classes, as .*train\.csv has no labels/, /in the order/],
    ['weights of classes that nobody counts', { labelled: 0, classes: ['x', 'y'], classWeights: 'balanced' }, { train: 'a\n1\n2\n3\n4\n5\n6' }, /classWeights: need labels, and no sample/, /Leave it out/],
    ['weights of classes that no sample has', { labelled: 0, classes: ['x', 'y'], classWeights: [1, 2] }, { train: 'a\n1\n2\n3\n4\n5\n6' }, /classWeights: need labels, and no sample/, /Leave it out/],
  ])('%s', async (_, more, files, message, hint) => {
    const sources = await Promise.all(
      Object.entries({ train: good, ...files }).map(async ([name, text]) => [name, await folder.file(`${name}.csv`, text)]),
    );
    const error = await userError(load({ type: 'csv', ...(Object.fromEntries(sources) as object), validation: 2, ...more }));
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  }); // prettier-ignore

  it('pictures without labels that are none, and labels that are not read', async () => {
    const images = await folder.file('p.idx', idx(8, [2, 1, 1], [1, 2]));
    expect((await userError(load({ type: 'idx', train: { images } }))).message).toBe(
      'train.labels: expected a file of labels, received none',
    );
    const train = { images, labels: images };
    expect((await userError(load({ type: 'idx', train, labelled: 0 }))).message).toBe(
      `train.labels: not read with \`labelled: 0\`, received ${images}`,
    );
    const lines = await folder.file('slip.jsonl', '{"a": 1, "lable": 0}\n{"a": 2, "lable": 1}');
    const slip = await userError(load({ type: 'jsonl', train: lines, classes: ['x', 'y'] }));
    expect(slip.message).toMatch(/slip\.jsonl:1: no key "label", the line has: a, lable$/);
  });
});
