import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { seenData } from '../../../src/tools/init/data.ts';
import { temporaryFolder } from '../../data/support.ts';

const folder = temporaryFolder();

async function files(...names: readonly string[]): Promise<void> {
  for (const name of names) {
    await mkdir(path.dirname(path.join(folder.path, name)), { recursive: true });
    await writeFile(path.join(folder.path, name), '');
  }
}

const seenIn = (name: string) => seenData(path.join(folder.path, name));

describe('a folder of data', () => {
  it('whose files lie in folders of the classes says which folders are the classes', async () => {
    await files(
      'deep/animals/cat/1.png',
      'deep/animals/dog/1.png',
      'deep/things/cup/1.png',
      'plain/cat/1.png',
      'plain/dog/more/2.png',
    );
    expect(await seenIn('deep')).toEqual({
      type: 'image-folder',
      why: 'deep holds 3 files .png',
      notes: ['the classes are its outermost folders, animals, things: the files lie in folders of these'],
    });
    expect(await seenIn('plain')).toMatchObject({ notes: [] });
  });

  it('is seen through links, and a link in a circle or to nothing is left out', async () => {
    await files('store/1.png', 'store/2.png', 'linked/dog/1.png');
    await symlink('../store', path.join(folder.path, 'linked/cat'));
    await symlink('..', path.join(folder.path, 'linked/dog/up'));
    await symlink('nothing', path.join(folder.path, 'linked/dog/gone'));
    expect(await seenIn('linked')).toMatchObject({ type: 'image-folder', why: 'linked holds 3 files .png' });
  });

  it.each<[string, readonly string[], string | undefined]>([
    ['voc', ['voc/JPEGImages/1.jpg', 'voc/Annotations/1.xml'], 'holds JPEGImages and Annotations, as data with masks or boxes do'], // prettier-ignore
    ['yolo', ['yolo/train/images/1.jpg', 'yolo/train/labels/1.txt'], 'holds images and labels, as data with masks or boxes do'], // prettier-ignore
    ['robo', ['robo/train/1.jpg', 'robo/train/_annotations.coco.json'], 'has the annotation file _annotations.coco.json, with boxes or masks'], // prettier-ignore
    ['faces', ['faces/mask/1.png', 'faces/no-mask/1.png'], undefined],
  ])('with masks or boxes is no folder of classes: %s', async (name, given, unsupported) => {
    await files(...given);
    expect((await seenIn(name))?.unsupported).toEqual(unsupported);
  });
});

it('pictures and masks are data for segmentation, with the splits of their folders or lists', async () => {
  await files('seg/images/1.png', 'seg/masks/1.png');
  expect(await seenIn('seg')).toEqual({ type: 'mask-folder', why: 'seg holds images and masks', notes: [] });
  await files(
    'parts/train/images/1.png',
    'parts/train/masks/1.png',
    'parts/test/images/1.png',
    'parts/test/masks/1.png',
  );
  expect(await seenIn('parts')).toEqual({
    ...{ type: 'mask-folder', why: 'parts/train holds images and masks', notes: [] },
    splits: { train: 'train', test: 'test' },
  });
  const lists = ['ImageSets/Segmentation/train.txt', 'ImageSets/Segmentation/val.txt'];
  await files(...['JPEGImages/1.jpg', 'SegmentationClass/1.png', ...lists].map((name) => `VOC/${name}`));
  expect(await seenIn('VOC')).toMatchObject({ type: 'mask-folder', splits: { train: lists[0], test: lists[1] } });
});

it('a JSON file of COCO is not one of JSON lines', async () => {
  const write = (name: string, content: string) => writeFile(path.join(folder.path, name), content);
  const coco = { info: { year: 2024 }, images: [{ id: 1, file_name: '1.jpg' }], annotations: [{ bbox: [1, 2, 3, 4] }] };
  await write('coco.json', JSON.stringify(coco, null, 2));
  await write('lines.json', '{"a": 1, "label": "x"}\n{"a": 2, "label": "y"}\n');
  expect(await seenIn('coco.json')).toMatchObject({
    unsupported: 'is an annotation file of COCO, with boxes or masks',
  });
  expect(await seenIn('lines.json')).toEqual({ type: 'jsonl', why: 'lines.json ends in .json', notes: [] });
});
