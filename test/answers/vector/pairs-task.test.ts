import * as tf from '@tensorflow/tfjs-core';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { batches } from '../../../src/data/batches/batches.ts';
import { loadDataset } from '../../../src/data/load.ts';
import type { DatasetConfig } from '../../../src/data/config.ts';
import { sentenceSimilarity } from '../../../src/answers/vector/pairs-task.ts';
import { useCpu } from '../../support/cpu.ts';
import { temporaryFolder } from '../../support/folder.ts';

beforeAll(useCpu);

/** Vectors of a length of 2 at these angles, and the pairs of neighbours with these similarities. */
const at = (...angles: readonly number[]) => Float32Array.from(angles.flatMap((angle) => [2 * Math.cos(angle), 2 * Math.sin(angle)])); // prettier-ignore
const pairs = (...similarities: readonly number[]) =>
  Float32Array.from(similarities.flatMap((one, pair) => [pair, one, pair, one]));
const of = (prefixes: readonly number[] = []) => sentenceSimilarity({ vector: { size: 2, prefixes } });
const task = of();
/** Cosines of 1, cos 0.5, cos 1 and cos 2. */
const ANSWERS = at(0.3, 0.3, 1, 1.5, 2, 3, 0, 2);

describe('the score', () => {
  it('is the correlation of ranks', () => {
    expect(task.scoreOf(ANSWERS, pairs(4, 3, 2, 1))).toBe(1);
    expect(task.scoreOf(ANSWERS, pairs(1, 2, 3, 4))).toBe(-1);
    // Ranks 4, 3, 2, 1 and 3, 4, 1, 2: 1 - 6 · 4 / (4 · 15).
    expect(task.scoreOf(ANSWERS, pairs(0.3, 7, -5, 0.1))).toBeCloseTo(0.6, 12);
    expect(task.scoreOf(at(1, 1, 1, 1, 1, 1), pairs(1, 2, 3))).toBe(0);
  });

  it('finds pairs by their number, without those of no similarity or of one sample', () => {
    const apart = Float32Array.of(5, 4, 5, 4, 9, 3, 9, 3, -1, 0, -1, 0, 2, 1, 7, 1);
    expect(task.describe(ANSWERS, apart).vectors!.queries).toBe(2);
    const mixed = Float32Array.of(0, 4, 1, 3, 0, 4, 1, 3, 2, 2, 2, 2);
    expect(task.scoreOf(at(0.3, 1, 0.3, 1.5, 2, 3), mixed)).toBe(1);
  });

  it('is the same of what processes collect', () => {
    const targets = pairs(0.3, 7, -5, 0.1);
    const { of: rows, scoreOf } = task.collects!;
    expect(scoreOf(rows(ANSWERS, targets))).toBe(task.scoreOf(ANSWERS, targets));
  });

  it('is described for each size and number format', () => {
    const vectors = Float32Array.from({ length: 8 * 4 }, (_, i) => Math.cos(i * i));
    const { vectors: found } = sentenceSimilarity({ vector: { size: 4, prefixes: [2] } }).describe(vectors, pairs(4, 3, 2, 1)); // prettier-ignore
    expect(found!.rows.map(({ size, precision }) => [size, precision])).toEqual(
      [2, 4].flatMap((size) => ['float32', 'int8', 'binary'].map((precision) => [size, precision])),
    );
    const first = Float32Array.from({ length: 16 }, (_, i) => vectors[4 * (i >> 1) + (i % 2)]!);
    expect(found!.rows[0]!.spearman).toBe(task.scoreOf(first, pairs(4, 3, 2, 1)));
  });

  it('knows a teacher that is no better than chance', () => {
    const angles = Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? 0 : i / 20));
    const falling = pairs(...angles.flatMap((angle, i) => (i % 2 === 0 ? [] : [-angle])));
    expect(task.skill(at(...angles), falling)).toMatchObject({ score: 1, isBetter: true });
    const other = pairs(...angles.flatMap((_, i) => (i % 2 === 0 ? [] : [Math.cos(i * i)])));
    expect(task.skill(at(...angles), other).isBetter).toBe(false);
    const noise = at(...angles.map((_, i) => Math.cos(7 * i * i)));
    expect([task.isWorse(noise, at(...angles), falling), task.isWorse(at(...angles), noise, falling)]).toEqual([true, false]); // prettier-ignore
  });
});

it('says the cosine of a pair, and its similarity', () => {
  const targets = pairs(4, 3, 2, 1);
  expect(task.textOf(ANSWERS, 2, targets)).toBe('cosine 0.88');
  expect(task.textOf(ANSWERS, 0, Float32Array.of(-1, 0))).toBe('no partner');
  expect([task.labelText(targets, 3), task.labelText(Float32Array.of(-1, 0), 0)]).toEqual(['similarity 3', 'unknown']);
});

it('takes the cosines of a teacher as similarities', () => {
  const targets = task.asTargets(at(0, 0, 1, 1 + Math.PI / 3));
  [0, 1, 0, 1, 1, 0.5, 1, 0.5].forEach((value, i) => expect(targets[i]).toBeCloseTo(value, 6));
});

describe('the loss', () => {
  const lossOf = (targets: Float32Array, squared?: number) => {
    const rows = task.forLoss(tf.tensor2d(ANSWERS, [8, 2]));
    return [...task.loss(rows, tf.tensor2d(targets, [8, 2]), squared === undefined ? {} : { squared: tf.scalar(squared) }).dataSync()]; // prettier-ignore
  };
  const cosines = [1, Math.cos(0.5), Math.cos(1), Math.cos(2)];

  it('is that of the order of similarities', () => {
    const similarities = [3, 7, 7, 0.1];
    let sum = 1;
    for (const [i, a] of similarities.entries())
      for (const [j, b] of similarities.entries()) if (a < b) sum += Math.exp(20 * (cosines[i]! - cosines[j]!));
    for (const value of lossOf(pairs(...similarities))) expect(value).toBeCloseTo(Math.log(sum), 4);
    for (const value of lossOf(pairs(30, 70, 70, 1))) expect(value).toBeCloseTo(Math.log(sum), 4);
  });

  it('is that of cosines, of known pairs alone', () => {
    const targets = Float32Array.of(...pairs(0.5, 0.2), -1, 0, -1, 0, 3, 0.1, 4, 0.1);
    const wanted = [(1 - 0.5) ** 2, (Math.cos(0.5) - 0.2) ** 2, 0, 0];
    lossOf(targets, 1).forEach((value, row) => expect(value).toBeCloseTo(wanted[row >> 1]!, 5));
    expect(task.labelNumbers({ labelSmoothing: 0, pairLoss: 'mse' })).toEqual({ squared: 1 });
    expect(task.labelNumbers({ labelSmoothing: 0 })).toEqual({});
  });

  it('leaves out a last sample without a partner', () => {
    const rows = task.forLoss(tf.tensor2d(ANSWERS.subarray(0, 10), [5, 2]));
    const targets = tf.tensor2d([...pairs(1, 2), -1, 0], [5, 2]);
    expect(task.loss(rows, targets, {}).shape).toEqual([5]);
    expect(task.loss(rows, targets, {}).dataSync()[4]).toBe(0);
  });
});

describe('data', () => {
  const folder = temporaryFolder();
  const write = (name: string, text: string): string => {
    const file = path.join(folder(), name);
    writeFileSync(file, text);
    return file;
  };
  const HEAD = 'a,b,score\n';
  const config = (train: string, more: object = {}): DatasetConfig =>
    ({
      ...{ type: 'csv', task: 'sentence-similarity', train, validation: train, label: 'score', dimensions: 4 },
      ...{ text: { column: ['a', 'b'], length: 4 }, ...more },
    }) as unknown as DatasetConfig;
  const textsOf = (samples: ArrayLike<number>, size: number): string[] =>
    Array.from({ length: samples.length / size }, (_, row) =>
      // Ids are bytes from 1 on, and padding is 0.
      String.fromCharCode(
        ...Array.from({ length: size }, (__, i) => samples[row * size + i]! - 1).filter((byte) => byte >= 0),
      ),
    );
  const PAIRS = `${HEAD}one,two,1\ntri,for,2.5\nfiv,six,0\nsev,eig,3\n`;

  it('have both texts of a pair beside one another, each as a sample', async () => {
    const { train } = await loadDataset(config(write('d.csv', PAIRS)));
    expect(textsOf(train.samples, 4)).toEqual(['one', 'two', 'tri', 'for', 'fiv', 'six', 'sev', 'eig']);
    expect([train.count, train.sampleShape, [...train.ids]]).toEqual([8, [4], [0, 1, 2, 3, 4, 5, 6, 7]]);
    expect([...train.targets]).toEqual([...pairs(1, 2.5, 0, 3)]);
    expect(train.text).toMatchObject({ texts: 1, length: 4 });
  });

  it('are the same in files as in memory', async () => {
    const own = write('d.csv', PAIRS);
    const { train } = await loadDataset(config(own), { memory: 0 });
    expect(train.stored).toBeDefined();
    const kept = [...batches(train, { batchSize: 8, seed: 1, epoch: 0, shuffle: false })][0]!;
    expect(textsOf(kept.x, 4)).toEqual(['one', 'two', 'tri', 'for', 'fiv', 'six', 'sev', 'eig']);
  });

  it('hold out whole pairs', async () => {
    const rows = Array.from({ length: 40 }, (_, i) => `a${i},b${i},${i}\n`).join('');
    const { train, validation } = await loadDataset(config(write('d.csv', HEAD + rows), { validation: 0.25 }));
    expect([train.count, validation.count]).toEqual([60, 20]);
    for (const split of [train, validation]) {
      const texts = textsOf(split.samples, 4);
      texts.forEach((text, row) => expect(text).toBe(`${'ab'[row % 2]!}${split.targets[2 * row]!}`));
    }
  });

  it('have texts without a partner, and pairs without a similarity, which no batch puts between pairs', async () => {
    const rows = Array.from({ length: 12 }, (_, i) => `a${i},b${i},${i}\n`).join('');
    const more = `${HEAD}alone,,\nx,y,\nz,,\n`;
    const { train } = await loadDataset(config(write('d.csv', HEAD + rows), { unlabelled: write('m.csv', more) }));
    expect(train.count).toBe(28);
    expect(textsOf(train.samples, 4).slice(24)).toEqual(['alon', 'x', 'y', 'z']);
    expect([...train.labelled!].slice(22)).toEqual([1, 1, 0, 0, 0, 0]);
    expect([...train.targets].slice(48)).toEqual([-1, 0, -1, 0, -1, 0, -1, 0]);
    for (let epoch = 0; epoch < 5; epoch++)
      for (const { ids, targets } of batches(train, { batchSize: 4, seed: 1, epoch }))
        for (let i = 0; i < ids.length; i += 2) expect(targets[2 * i]).toBe(targets[2 * (i + 1)]);
  });

  it.each([
    ['a,b\none,two\n', 'score'],
    [`${HEAD}one,two,high\n`, 'd.csv:2: the label is "high", expected a finite float32 number'],
    [`${HEAD}one,,1\n`, 'd.csv:2: column "b": the text is empty'],
    [`${HEAD},two,1\n`, 'd.csv:2: column "a": the text is empty'],
    [`${HEAD}one,two,\n`, 'none of its 1 samples has a label'],
    [`${HEAD}one,two,1\ntri,for,\n`, 'd.csv:3: the label is empty'],
    [`${HEAD}one,two,1\ntri,for,2\n`, 'd.csv: 2 pairs for validation, expected 3 or more'],
    [`${HEAD}a,b,1\nc,d,1\ne,f,1\n`, 'd.csv: all 3 pairs for validation have the similarity 1'],
    [`${HEAD}a,b,1|2\nc,d,1\n`, 'd.csv:2: '],
  ])('refuse %j', async (text, message) => {
    await expect(loadDataset(config(write('d.csv', text)))).rejects.toThrow(message);
  });
});
