import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { inProcess } from '../../../support/in-process.ts';
import { seenFolder } from '../../../support/seen-data.ts';

const { file, files, folder, put, seenIn } = seenFolder();

it('data with boxes are a data.yaml of YOLO, which names its splits', async () => {
  await files('y/images/train/1.jpg', 'y/labels/train/1.txt');
  await put('y/data.yaml', 'train: images/train\nval: images/val\ntest: # none\nnames:\n  0: cat\n');
  const seen = { type: 'yolo', why: 'y/data.yaml has the keys train and names', notes: [] };
  expect(await seenIn('y')).toEqual({ ...seen, splits: { train: 'data.yaml', validation: 'data.yaml' } });
  const name = path.join('..', 'data.yaml');
  expect((await seenIn('y/data.yaml'))?.splits).toEqual({ train: name, validation: name });
  await put('y/data.yaml', 'train: images/train\nval: images/train # the same\nnames: [cat]\n');
  expect(await seenIn('y')).toEqual({ ...seen, splits: { train: 'data.yaml' } });
  await put('y/data.yaml', 'train: images/train\ntest: images/test\nnames: [cat]\n');
  expect(await seenIn('y')).toEqual({ ...seen, splits: { train: 'data.yaml', test: 'data.yaml' } });
  await put('y/data.yaml', 'a: 1\n');
  expect((await seenIn('y'))?.type).not.toBe('yolo');
});

it('data with boxes are pictures, boxes and classes of YOLO as Label Studio and CVAT write them', async () => {
  await files('s/images/1.jpg', 's/labels/1.txt', 's/classes.txt', 's/notes.json');
  const why = 's holds images and labels and classes.txt';
  expect(await seenIn('s')).toEqual({ type: 'yolo', why, notes: [], splits: { train: 'images' } });
  await files('d/obj_train_data/1.jpg', 'd/obj_train_data/1.txt', 'd/obj.data', 'd/obj.names', 'd/train.txt');
  expect((await seenIn('d'))?.splits).toEqual({ train: 'train.txt' });
});

it('a data.yaml of YOLO as data is not taken for the file to write', async () => {
  await mkdir(file('train', 'images'), { recursive: true });
  await mkdir(file('train', 'labels'));
  const yolo = 'train: train/images\nval: train/images\nnames: [a, b]\n';
  await writeFile(file('data.yaml'), yolo);
  const { code, stdout } = await inProcess(folder(), 'init', 'data.yaml', '--force');
  expect([code, stdout]).toEqual([0, expect.stringContaining('recipe.yaml: written')]);
  expect(await readFile(file('data.yaml'), 'utf8')).toBe(yolo);
  expect(await readFile(file('recipe.yaml'), 'utf8')).toContain('  type: yolo\n');
});
