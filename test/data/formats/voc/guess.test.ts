import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { seenData } from '../../../../src/tools/init/data.ts';
import { temporaryFolder } from '../../../support/folder.ts';

const folder = temporaryFolder();
const file = (...names: string[]): string => path.join(folder(), ...names);

async function files(...names: readonly string[]): Promise<void> {
  for (const name of names) await put(name, '');
}

async function put(name: string, content: string): Promise<void> {
  await mkdir(path.dirname(file(name)), { recursive: true });
  await writeFile(file(name), content);
}

const seenIn = (name: string) => seenData(file(name));

it('data with boxes are folders or lists of Pascal VOC', async () => {
  await files('v/JPEGImages/1.jpg', 'v/Annotations/1.xml');
  expect(await seenIn('v')).toEqual({ type: 'voc', why: 'v holds JPEGImages and Annotations', notes: [] });
  await files('studio/images/1.jpg', 'studio/Annotations/1.xml');
  expect((await seenIn('studio'))?.why).toBe('studio holds images and Annotations');
  await files('v/ImageSets/Main/default.txt');
  expect((await seenIn('v'))?.splits).toEqual({ train: 'ImageSets/Main/default.txt' });
  await files('v/ImageSets/Main/trainval.txt', 'v/ImageSets/Main/test.txt');
  const lists = { train: 'ImageSets/Main/trainval.txt', test: 'ImageSets/Main/test.txt' };
  expect((await seenIn('v'))?.splits).toEqual(lists);
  for (const split of ['train', 'test']) await files(`w/${split}/JPEGImages/1.jpg`, `w/${split}/Annotations/1.xml`);
  expect(await seenIn('w')).toMatchObject({ type: 'voc', splits: { train: 'train', test: 'test' } });
});
