// Needs the feature points.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseRecipe } from '../../../src/recipe/load.ts';
import { models } from '../../../src/networks/models/registry.ts';
import { seenData } from '../../../src/tools/init/data.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { inProcess } from '../../support/in-process.ts';

const folder = temporaryFolder();
const at = (...names: string[]): string => path.join(folder(), ...names);

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(at(name)), { recursive: true });
    await writeFile(at(name), text);
  }
}

const CSV = 'file,tip_x,tip_y,tip_v\na.png,1,2,2\n';
const POSE = 'train: images\nval: more\nnames: [hand]\nkpt_shape: [2, 3]\nkpt_names: { 0: [tip, base] }\n';
const coco = (points: object): string =>
  JSON.stringify({ images: [{ id: 1, file_name: '1.jpg', width: 8, height: 8 }], annotations: [{ id: 1, image_id: 1, category_id: 1, bbox: [0, 0, 4, 4], ...points }], categories: [{ id: 1, name: 'hand', ...points }] }); // prettier-ignore

it('files of points are known by what they say, not by their ending', async () => {
  await write({ 'csv/train.csv': CSV, 'csv/test.csv': CSV, 'csv/a.png': '', 'table/train.csv': 'file,x,y\na,1,2\n' });
  await write({ 'pose/data.yaml': POSE, 'boxes/data.yaml': 'train: images\nnames: [hand]\n' });
  const of = async (name: string, wantsBoxes = false) => seenData(at(name), wantsBoxes);
  expect(await of('csv')).toEqual({ type: 'points', why: 'csv/train.csv has columns of points', notes: [], splits: { train: 'train.csv', test: 'test.csv' } }); // prettier-ignore
  expect(await of('csv/train.csv')).toMatchObject({ type: 'points', why: 'train.csv has the form of points', testBeside: 'test.csv' }); // prettier-ignore
  expect(await of('table/train.csv')).toMatchObject({ type: 'csv', why: 'train.csv ends in .csv' });
  expect(await of('pose')).toMatchObject({ type: 'points', splits: { train: 'data.yaml', validation: 'data.yaml' } });
  expect(await of('pose/data.yaml')).toMatchObject({ type: 'points', splits: { validation: '../data.yaml' } });
  // The same file has boxes too.
  expect(await of('pose/data.yaml', true)).toMatchObject({ type: 'yolo', why: 'data.yaml ends in .yaml' });
  expect(await of('pose', true)).toMatchObject({ type: 'yolo' });
  expect(await of('boxes')).toMatchObject({ type: 'yolo' });
  expect(await of('boxes/data.yaml')).toMatchObject({ type: 'yolo', why: 'data.yaml ends in .yaml' });
});

it("COCO's key points are told from its boxes, with the pictures of each split", async () => {
  const points = { keypoints: [] };
  await write({
    'coco/train2017/1.jpg': '',
    'coco/val2017/1.jpg': '',
    'coco/annotations/person_keypoints_train2017.json': coco(points),
    'coco/annotations/person_keypoints_val2017.json': coco(points),
    'both/train/1.jpg': '',
    'both/train/a.json': coco(points),
    'plain/train/1.jpg': '',
    'plain/train/a.json': coco({}),
  });
  expect(await seenData(at('coco'))).toEqual({
    type: 'points',
    why: "coco/annotations/person_keypoints_train2017.json has key points in COCO's format",
    notes: [],
    splits: {
      train: 'train2017',
      labels: 'annotations/person_keypoints_train2017.json',
      test: 'val2017',
      testLabels: 'annotations/person_keypoints_val2017.json',
    },
  });
  expect(await seenData(at('both'))).toMatchObject({ type: 'points', splits: { labels: 'train/a.json' } });
  expect(await seenData(at('both'), true)).toMatchObject({ type: 'coco' });
  expect(await seenData(at('plain'))).toMatchObject({ type: 'coco' });
});

it.each([
  ['csv/train.csv', { 'csv/train.csv': CSV }, 'csv/train.csv'],
  ['pose/data.yaml', { 'pose/data.yaml': POSE }, 'pose/data.yaml'],
  ['coco', { 'coco/train/1.jpg': '', 'coco/train/a.json': coco({ keypoints: [] }) }, { images: 'coco/train', labels: 'coco/train/a.json' }], // prettier-ignore
] as const)('init writes a recipe for %s', async (place, files, train) => {
  await write(files);
  const { code } = await inProcess(folder(), 'init', place, '--to', 'r.yaml');
  expect(code).toBe(0);
  const { recipe } = parseRecipe(await readFile(at('r.yaml'), 'utf8'), at('r.yaml'), { models });
  const expected = typeof train === 'string' ? at(train) : { images: at(train.images), labels: at(train.labels) }; // prettier-ignore
  expect(recipe.dataset).toMatchObject({ type: 'points', task: 'points', train: expected });
  expect(recipe.student).toMatchObject({ model: 'points-nano' });
});
