import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { batches } from '../../../src/data/batches/batches.ts';
import type { DatasetConfig } from '../../../src/data/config.ts';
import { loadDataset } from '../../../src/data/load.ts';
import { boxesOf } from '../../../src/data/targets/boxes.ts';
import { temporaryFolder, userError } from '../support.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder.path, name);
const COUNT = 12;

/** A set of COCO: picture i has i % 3 boxes, of which the first is of the class `first`. */
async function coco(
  name: string,
  categories: readonly string[],
  first: string,
): Promise<{ images: string; labels: string }> {
  await mkdir(at(name), { recursive: true });
  const png = await sharp({ create: { width: 64, height: 32, channels: 3, background: { r: 9, g: 90, b: 7 } } }).png().toBuffer(); // prettier-ignore
  const images = Array.from({ length: COUNT }, (_, i) => ({ id: i, file_name: `${i}.png`, width: 64, height: 32 }));
  for (const { file_name: file } of images) await writeFile(at(`${name}/${file}`), png);
  const annotations = images.flatMap(({ id }) =>
    Array.from({ length: id % 3 }, (_, k) => ({ image_id: id, category_id: k === 0 ? categories.indexOf(first) : 0, bbox: [8 * k, 4, 16, 8] })),
  ); // prettier-ignore
  const labels = at(`${name}.json`);
  await writeFile(labels, JSON.stringify({ images, categories: categories.map((one, id) => ({ id, name: one })), annotations })); // prettier-ignore
  return { images: at(name), labels };
}

const config = (train: object, more: object = {}) =>
  ({ ...{ type: 'coco', task: 'detection', train, validation: 2, maxBoxes: 4 }, ...more }) as DatasetConfig;

it('a data set has boxes of as many classes as its file, and pictures without a box are samples with a label', async () => {
  const { train, validation, classNames, warnings } = await loadDataset(config(await coco('train', ['cat', 'dog'], 'dog'))); // prettier-ignore
  expect(classNames).toEqual(['cat', 'dog']);
  expect([train.count, validation.count, train.maxBoxes, train.labelled]).toEqual([COUNT - 2, 2, 4, undefined]);
  expect(train.targets).toHaveLength((COUNT - 2) * 29);
  const counts = Array.from(train.ids, (id, row) => [id % 3, boxesOf(train.targets, row * 29, 4).length]);
  for (const [expected, found] of counts) expect(found).toBe(expected);
  expect(warnings.filter((line) => line.includes('has no box'))).toEqual([]);
});

it('another split may number the classes in another way, and has no other class', async () => {
  const train = await coco('train', ['cat', 'dog'], 'dog');
  const test = await coco('other', ['dog', 'cat'], 'dog');
  const loaded = await loadDataset(config(train, { test }));
  expect(boxesOf(loaded.test!.targets, 29, 4)[0]!.label).toBe(1);
  const strange = await coco('strange', ['dog', 'cow'], 'cow');
  const { message } = await userError(loadDataset(config(train, { test: strange })));
  expect(message).toBe(`${at('strange.json')}: images[1]: unknown label "cow", expected one of 2 classes: cat, dog`);
  const without = await coco('without', ['cow', 'dog'], 'dog');
  // A class that no box has may have any name, but every second box here has it.
  expect((await userError(loadDataset(config(train, { test: without })))).message).toContain('unknown label "cow"');
});

it('names of the recipe replace those of the file, and a class without boxes is named', async () => {
  const train = await coco('train', ['cat', 'dog', 'cow'], 'dog');
  const { classNames, warnings } = await loadDataset(config(train, { classes: ['Katze', 'Hund', 'Kuh'] }));
  expect(classNames).toEqual(['Katze', 'Hund', 'Kuh']);
  expect(warnings).toContain('train has no box of 1 of 3 classes: Kuh');
});

it('samples without a label have no boxes', async () => {
  const { train } = await loadDataset(config(await coco('train', ['cat', 'dog'], 'dog'), { labelled: 4 }));
  const counts = Array.from(train.ids, (id, row) => [id, boxesOf(train.targets, row * 29, 4).length] as const);
  expect(train.labelled!.filter((flag) => flag === 1)).toHaveLength(4);
  counts.forEach(([id, count], row) => expect(count).toBe(train.labelled![row] === 1 ? id % 3 : 0));
  const { train: none } = await loadDataset(config({ images: at('train') }, { labelled: 0, classes: ['cat', 'dog'] }));
  expect(boxesOf(none.targets, 0, 4)).toEqual([]);
});

it('boxes move with the pictures that augmentation moves', async () => {
  const { train } = await loadDataset(config(await coco('train', ['cat', 'dog'], 'dog')));
  const seen = new Set<number>();
  for (const { targets } of batches(train, { batchSize: 5, seed: 1, epoch: 0, augment: [{ flip: 'horizontal' }] }))
    for (let start = 0; start < targets.length; start += 29)
      for (const { xmin } of boxesOf(targets, start, 4).slice(0, 1)) seen.add(xmin);
  expect([...seen].sort()).toEqual([0, 0.75]);
});
