// Needs the feature points.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { pointsOfCoco } from '../../../src/answers/points/coco.ts';
import { pointsOfCsv } from '../../../src/answers/points/csv.ts';
import { pointsForm } from '../../../src/answers/points/form.ts';
import { reader } from '../../../src/answers/points/reader.ts';
import { pointsOfYolo } from '../../../src/answers/points/yolo.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { userError } from '../../data/support.ts';

const folder = temporaryFolder();

it.each([
  ['an odd count of numbers', 'file,a_x,a_y\np.png,1\n', ':2: 2 values, and the first line has 3 columns'],
  ['a visibility of 3', 'file,a_x,a_y,a_v\np.png,1,2,3\n', ':2: the visibility of a is 3, expected 0 (absent), 1 (hidden) or 2 (visible)'], // prettier-ignore
  ['x without y', 'file,a_x,a_y\np.png,1,\n', ':2: the point a has x and no y'],
  ['a point without a column', 'file,a_x\np.png,1\n', ':1: the point a has no column a_y'],
  ['a box without points', 'file,xmin,ymin,xmax,ymax\np.png,1,1,2,2\n', ':1: there is no column of a point'],
])('a CSV file with %s is refused with its line', async (_, text, message) => {
  const file = path.join(folder(), 'p.csv');
  await writeFile(file, text);
  const error = await userError(pointsOfCsv(file));
  expect(error.message).toBe(`${file}${message}`);
  expect(error.hint).not.toBe('');
});

it('a skeleton with an unknown point, and a flip without pairs, are refused', async () => {
  const named = { file: 'p.csv', names: ['a', 'b'] };
  const options = { part: 'train' } as const;
  const skeleton = await userError(() => pointsForm(named, { ...options, skeleton: [['a', 'c']] }));
  expect([skeleton.message, skeleton.hint]).toEqual([
    'dataset.skeleton: there is no point "c"',
    'The points are a, b.',
  ]);
  const flip = await userError(() => pointsForm(named, { ...options, augment: [{ flip: 'horizontal' }] }));
  expect(flip.message).toContain('dataset.flipPairs: expected the pairs of points');
});

const PUPPET = { id: 1, name: 'puppet', keypoints: ['a', 'b'] };
const IMAGE = { id: 1, file_name: 'p.png', width: 8, height: 8 };
const OBJECT = { id: 1, image_id: 1, category_id: 1, bbox: [1, 1, 4, 4], keypoints: [1, 1, 2, 3, 3, 1] };

async function coco(content: object): Promise<string> {
  const file = path.join(folder(), 'p.json');
  await writeFile(file, JSON.stringify({ images: [IMAGE], annotations: [OBJECT], categories: [PUPPET], ...content }));
  return file;
}

it.each([
  ['an odd count of numbers', { annotations: [{ ...OBJECT, keypoints: [1, 1, 2, 3, 3] }] }, ': annotations[0].keypoints: expected x, y and visibility of 2 points, 6 numbers, received 5'], // prettier-ignore
  ['a visibility of 3', { annotations: [{ ...OBJECT, keypoints: [1, 1, 2, 3, 3, 3] }] }, ': annotations[0].keypoints: the visibility of b is 3, expected 0 (absent), 1 (hidden) or 2 (visible)'], // prettier-ignore
  ['no names of points', { categories: [{ id: 1, name: 'puppet' }] }, ': categories: none has keypoints, which name the points'], // prettier-ignore
  ['other names in a second category', { categories: [PUPPET, { id: 2, name: 'hand', keypoints: ['c'] }] }, ': categories[1].keypoints: its points are c, and those of '], // prettier-ignore
  ['a skeleton that counts from 0', { categories: [{ ...PUPPET, skeleton: [[0, 1]] }] }, ': categories[0].skeleton[0]: expected two numbers of points from 1 to 2, received 0, 1'], // prettier-ignore
  ['boxes without points', { annotations: [{ ...OBJECT, keypoints: undefined }] }, ': no annotation has a labelled point'], // prettier-ignore
])('key points of COCO with %s are refused with their place', async (_, content, message) => {
  const file = await coco(content);
  const error = await userError(pointsOfCoco(file, folder()));
  expect(error.message.slice(0, file.length + message.length)).toBe(`${file}${message}`);
  expect(error.hint).not.toBe('');
});

async function yolo(data: string, labels: string): Promise<string> {
  for (const part of ['images', 'labels']) await mkdir(path.join(folder(), part), { recursive: true });
  await sharp({ create: { width: 8, height: 8, channels: 3, background: 'white' } }).png().toFile(path.join(folder(), 'images/p.png')); // prettier-ignore
  await writeFile(path.join(folder(), 'labels/p.txt'), labels);
  const file = path.join(folder(), 'data.yaml');
  await writeFile(file, `path: .\ntrain: images\nnames: [puppet]\n${data}`);
  return file;
}

const [TWO, LINE] = ['kpt_shape: [2, 3]\n', '0 0.5 0.5 0.4 0.4 0.1 0.1 2 0.2 0.2 1\n'];
it.each([
  ['an odd count of numbers', TWO, '0 0.5 0.5 0.4 0.4 0.1 0.1 2 0.2 0.2\n', 'labels/p.txt:1: expected 11 numbers, class cx cy width height and 3 for each of 2 points, received 10'], // prettier-ignore
  ['boxes without points', TWO, `${LINE}0 0.5 0.5 0.4 0.4\n`, 'labels/p.txt:2: expected 11 numbers, class cx cy width height and 3 for each of 2 points, received 5'], // prettier-ignore
  ['a visibility of 3', TWO, LINE.replace('1\n', '3\n'), 'labels/p.txt:1: the visibility of b is 3, expected 0 (absent), 1 (hidden) or 2 (visible)'], // prettier-ignore
  ['a word', TWO, LINE.replace('0.2 0.2', 'x 0.2'), 'labels/p.txt:1: "x" is no number'],
  [
    'more points than names',
    'kpt_shape: [3, 3]\n',
    LINE,
    'data.yaml: kpt_shape: there are 3 points, and 2 names: a, b',
  ],
  ['4 numbers for a point', 'kpt_shape: [2, 4]\n', LINE, 'data.yaml: kpt_shape[1]: expected one of 2|3, received 4'], // prettier-ignore
  ['no objects', TWO, '', 'data.yaml: none of its pictures has points in a file of labels'],
])('a pose data.yaml of YOLO with %s is refused with file and line', async (_, data, labels, message) => {
  const file = await yolo(data, labels);
  const error = await userError(pointsOfYolo(file, { part: 'train', classes: ['a', 'b'] }));
  expect(error.message.slice(0, folder().length + 1 + message.length)).toBe(path.join(folder(), message));
  expect(error.hint).not.toBe('');
});

it('points that nothing names, other names than those of the file, and several objects of one picture are refused', async () => {
  const unnamed = await userError(pointsOfYolo(await yolo(TWO, LINE), { part: 'train' }));
  expect(unnamed.message).toMatch(/data\.yaml: nothing names the 2 points$/);
  const file = await coco({ annotations: [OBJECT, { ...OBJECT, id: 2 }] });
  const source = { images: path.join(folder(), 'images'), labels: file };
  const read = (more: object) => {
    const options = { part: 'train', resize: [8, 8], flipPairs: [], ...more } as never;
    return userError(reader.read(source, options));
  };
  expect((await read({ classes: ['b', 'a'] })).message).toBe(
    `${file}: its points are a, b, and dataset.classes names b, a`,
  );
  const several = await read({});
  expect(several.message).toMatch(/annotations\[1\]: the picture .*p\.png has another object at .*annotations\[0\]$/);
  expect(several.hint).toContain('dataset.margin: 0.25');
});
