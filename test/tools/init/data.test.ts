// Needs the feature coco.
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
    ['yolo', ['yolo/train/images/1.jpg', 'yolo/train/labels/1.txt'], 'holds images and labels, as data with masks or boxes do, in a layout that is not read'], // prettier-ignore
    ['robo', ['robo/train/1.jpg', 'robo/train/_annotations.coco.json'], "has the annotation file _annotations.coco.json, which is not in COCO's format or not near its pictures"], // prettier-ignore
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

describe('data with boxes', () => {
  const COCO = '{"images": [{"file_name": "1.jpg"}], "annotations": [], "categories": []}';
  const put = async (name: string, content: string) => {
    await files(name);
    await writeFile(path.join(folder.path, name), content);
  };

  it("are annotations in COCO's format, near their pictures", async () => {
    await files('c/train2017/1.jpg', 'c/val2017/1.jpg');
    for (const name of ['captions_train2017', 'instances_train2017', 'instances_val2017'])
      await put(`c/annotations/${name}.json`, COCO);
    expect(await seenIn('c')).toEqual({
      type: 'coco',
      why: "c/annotations/instances_train2017.json has annotations in COCO's format",
      notes: [],
      splits: {
        ...{ train: 'train2017', labels: 'annotations/instances_train2017.json' },
        ...{ test: 'val2017', testLabels: 'annotations/instances_val2017.json' },
      },
    });
    for (const split of ['train', 'valid', 'test']) {
      await files(`r/${split}/1.jpg`);
      await put(`r/${split}/_annotations.coco.json`, COCO);
    }
    expect((await seenIn('r'))?.splits).toEqual({
      ...{ train: 'train', labels: 'train/_annotations.coco.json' },
      ...{ test: 'test', testLabels: 'test/_annotations.coco.json' },
      ...{ validation: 'valid', validationLabels: 'valid/_annotations.coco.json' },
    });
    await files('one/images/1.jpg');
    await put('one/boxes.json', COCO);
    expect((await seenIn('one'))?.splits).toEqual({ train: 'images', labels: 'boxes.json' });
    await files('cvat/images/default/1.jpg');
    await put('cvat/annotations/instances_default.json', COCO);
    const splits = { train: 'images/default', labels: 'annotations/instances_default.json' };
    expect((await seenIn('cvat'))?.splits).toEqual(splits);
    // Label Studio's names of pictures begin with their folder.
    await files('studio-coco/images/1.jpg');
    await put('studio-coco/result.json', COCO.replace('1.jpg', 'images\\/1.jpg'));
    expect((await seenIn('studio-coco'))?.splits).toEqual({ train: '.', labels: 'result.json' });
  });

  it('are chosen before masks if the task says so', async () => {
    await files('both/train/images/1.jpg', 'both/train/masks/1.png');
    await put('both/annotations/train.json', COCO);
    const at = path.join(folder.path, 'both');
    expect((await seenData(at))?.type).toBe('mask-folder');
    expect((await seenData(at, true))?.splits).toEqual({
      train: 'train/images',
      labels: 'annotations/train.json',
    });
  });
});

it('tables are found in their folder, and the test file beside the training file', async () => {
  await files('tables/train.csv', 'tables/test.csv', 'tables/notes.txt.bak', 'alone/Train.jsonl', 'x_train.csv');
  expect(await seenIn('tables')).toEqual({
    ...{ type: 'csv', why: 'tables holds train.csv and test.csv', notes: [] },
    splits: { train: 'train.csv', test: 'test.csv' },
  });
  expect(await seenIn('alone')).toMatchObject({ type: 'jsonl', splits: { train: 'Train.jsonl' } });
  expect(await seenIn('tables/train.csv')).toMatchObject({ type: 'csv', testBeside: 'test.csv' });
  expect(await seenIn('x_train.csv')).toEqual({ type: 'csv', why: 'x_train.csv ends in .csv', notes: [] });
});

it('Parquet files of the hub are one data set, with the splits of their names', async () => {
  await files('hub/data/train-00000-of-00002.parquet', 'hub/data/train-00001-of-00002.parquet');
  expect(await seenIn('hub')).toMatchObject({ type: 'parquet', within: ['train'] });
  await files('hub/data/test-00000-of-00001.parquet', 'hub/data/validation-00000-of-00001.parquet');
  expect(await seenIn('hub')).toMatchObject({ within: ['test', 'train', 'validation'] });
});

it('a JSON file of COCO is not one of JSON lines', async () => {
  const write = (name: string, content: string) => writeFile(path.join(folder.path, name), content);
  const coco = { info: { year: 2024 }, images: [{ id: 1, file_name: '1.jpg' }], annotations: [{ bbox: [1, 2, 3, 4] }] };
  await write('coco.json', JSON.stringify(coco, null, 2));
  await write('lines.json', '{"a": 1, "label": "x"}\n{"a": 2, "label": "y"}\n');
  expect(await seenIn('coco.json')).toMatchObject({
    unsupported: 'is an annotation file of COCO: the folder of its pictures is the training data',
  });
  expect(await seenIn('lines.json')).toEqual({ type: 'jsonl', why: 'lines.json ends in .json', notes: [] });
});
