import { loadDataset } from '../../../../src/data/load.ts';
import { readYolo } from '../../../../src/data/formats/yolo/yolo.ts';
import { parseRecipe } from '../../../../src/recipe/load.ts';
import { boxFolder, targetsOf } from '../../../support/boxes-read.ts';

const { at, put, picture, refused, notes } = boxFolder();

beforeAll(async () => {
  for (const name of ['train/1.png', 'train/deep/2.jpg', 'val/3.png']) await picture(`set/images/${name}`);
  await put('set/labels/train/1.txt', '1 0.5 0.5 0.25 0.5\n\n0 0.1 0.2 0.2 0.4\r\n');
  await put('set/labels/train/deep/2.txt', '');
  await put('set/labels/val/3.txt', '2 0.5 0.5 1 1');
});

type Options = Parameters<typeof readYolo>[1];
const NAMES = 'names: [cat, dog, bird]';
const read = async (text: string, options: Partial<Options> = {}) =>
  readYolo(await put('set/data.yaml', text), { part: 'train', ...options });

it('reads the split that a data.yaml names, with its boxes and classes', async () => {
  const text = `path: .\ntrain: images/train\nval: images/val\nnc: 3\n${NAMES}\n`;
  const split = await read(text);
  expect(split.classNames).toEqual(['cat', 'dog', 'bird']);
  expect(targetsOf(split, 0)).toEqual({
    pixels: 3200,
    boxes: [[1, 0.375, 0.25, 0.625, 0.75, 400, 0], [0, 0, 0, 0.2, 0.4, 256, 0]],
  }); // prettier-ignore
  expect(targetsOf(split, 1)).toEqual({ pixels: 3200, boxes: [] });
  expect(notes(split)).toEqual([]);
  expect(targetsOf(await read(text, { part: 'validation' }), 0).boxes).toEqual([[2, 0, 0, 1, 1, 3200, 0]]);
  const { message } = await refused(read(text, { part: 'test' }));
  expect(message).toBe('set/data.yaml: test: expected the place of its pictures, received none');
});

it('refuses what leads out of the folder of the data.yaml, and takes a place that the recipe names', async () => {
  await picture('elsewhere/images/1.png');
  await put('elsewhere/labels/1.txt', '0 0.5 0.5 0.5 0.5');
  await put('set/absolute.txt', at('elsewhere/images/1.png'));
  const out = [
    ['train: ../elsewhere/images', '"../elsewhere/images" leads out of the folder of the file, to elsewhere/images'],
    ['path: ../elsewhere\ntrain: images', '"images" leads out of the folder of the file, to elsewhere/images'],
    [`train: ${at('elsewhere/images')}`, '"elsewhere/images" leads out of the folder of the file, to elsewhere/images'],
    [`path: ${at('elsewhere')}\ntrain: images`, '"images" leads out of the folder of the file, to elsewhere/images'],
  ] as const;
  for (const [text, fact] of out)
    expect((await refused(read(`${text}\n${NAMES}`))).message).toBe(`set/data.yaml: train: ${fact}`);
  const { message } = await refused(read(`train: absolute.txt\n${NAMES}`));
  expect(message).toBe('set/absolute.txt:1: "elsewhere/images/1.png" leads out of set');
  expect((await read(`path: ${at('set')}\ntrain: images/train\n${NAMES}`)).classNames).toHaveLength(3);
  const split = await readYolo(at('elsewhere/images'), { part: 'train', classes: ['cat', 'dog', 'bird'] });
  expect(targetsOf(split, 0).boxes).toHaveLength(1);
});

it.each([
  ['names by their numbers', 'train: images/train\nnames:\n  0: cat\n  1: dog\n  2: bird'],
  ['a path from a folder below', `train: ../images/train\n${NAMES}`],
  ['a path that is not there, and places beside the file', `path: ../datasets/set\ntrain: images/train\n${NAMES}`],
  ['several places', `train: [images/train]\n${NAMES}`],
])('understands %s', async (_, text) => {
  const split = await read(text);
  expect(split.classNames).toEqual(['cat', 'dog', 'bird']);
  expect(targetsOf(split, 0).boxes).toHaveLength(2);
});

it('reads a folder, and a list of pictures, whose classes the recipe names', async () => {
  const classes = ['cat', 'dog', 'bird'];
  const split = await readYolo(at('set/images/train'), { part: 'train', classes });
  expect([split.classNames, targetsOf(split, 0).boxes.length]).toEqual([classes, 2]);
  const list = await put('set/list.txt', './images/val/3.png\n\ndata/images/train/1.png\n');
  const listed = await readYolo(list, { part: 'train', classes });
  expect([0, 1].map((row) => targetsOf(listed, row).boxes.length)).toEqual([1, 2]);
  const { message } = await refused(readYolo(list, { part: 'train' }));
  expect(message).toBe('set/list.txt: boxes have numbers of classes, and nothing names the classes');
});

it('reads the names of the classes from a file above the boxes', async () => {
  await picture('named/images/1.png');
  await put('named/labels/1.txt', '1 0.5 0.5 0.5 0.5');
  await put('named/classes.txt', 'cat\r\ndog\n\n');
  const split = await readYolo(at('named/images'), { part: 'train' });
  expect([split.classNames, targetsOf(split, 0).boxes.length]).toEqual([['cat', 'dog'], 1]);
});

it('reads pictures without their boxes', async () => {
  const split = await readYolo(at('set/images/val'), { part: 'unlabelled', withoutLabels: true });
  expect([split.labels.kind, split.labels.values.length, split.classNames]).toEqual(['index', 1, undefined]);
});

it('says which pictures have no file of boxes, and which files of boxes have no picture', async () => {
  await picture('some/images/1.png');
  await picture('some/images/2.png');
  await put('some/labels/1.txt', '0 0.5 0.5 0.5 0.5');
  await put('some/labels/9.txt', '');
  await put('some/labels/classes.txt', 'cat');
  const split = await readYolo(at('some/images'), { part: 'train', classes: ['cat', 'dog'] });
  expect(notes(split)).toEqual([
    'some/images: 1 pictures have no file of boxes and count as pictures without boxes; the first such file is some/labels/2.txt',
    '1 files of boxes have no picture and are not read, such as some/labels/9.txt',
  ]);
  expect(targetsOf(split, 1).boxes).toEqual([]);
});

it('reads boxes of a single class', async () => {
  for (const i of [1, 2, 3, 4]) {
    await picture(`faces/images/${i}.png`);
    await put(`faces/labels/${i}.txt`, '0 0.5 0.5 0.5 0.5');
  }
  const text = `dataset: {type: yolo, task: detection, train: ${at('faces/images')}, validation: 1, testFraction: 0.3, classes: [face]}\nstudent: {model: det-nano}\n`;
  const { dataset } = parseRecipe(text, at('r.yaml')).recipe;
  const { train, classNames } = await loadDataset(dataset);
  expect([classNames, train.count, train.targets[1]]).toEqual([['face'], 2, 0]);
});

it('looks for boxes beside the pictures if no folder is called images', async () => {
  await picture('flat/1.png');
  await put('flat/1.txt', '0 0.5 0.5 0.5 0.5');
  const split = await readYolo(at('flat'), { part: 'train', classes: ['cat', 'dog'] });
  expect(targetsOf(split, 0).boxes).toHaveLength(1);
});

const YAML: readonly (readonly [string, string, string])[] = [
  ['no YAML', 'a: [', 'set/data.yaml: not usable YAML: '],
  ['more keys than a parser takes in a second', `train: images/train\nnames:\n${Array.from({ length: 6000 }, (_, i) => `  ${i}: a`).join('\n')}`, 'set/data.yaml: not usable YAML: received 6000 keys in one mapping, expected at most 5000'],
  ['no mapping', '- 1', 'set/data.yaml: the whole: expected object'],
  ['no names', 'train: images/train', 'set/data.yaml: names: expected the names of the classes, as a list or by their numbers, received nothing'],
  ['a number without a name', 'train: images/train\nnames: {0: a, 2: b}', 'set/data.yaml: names: no name for class 1 of 2'],
  ['another number of classes', `train: images/train\nnc: 4\n${NAMES}`, 'set/data.yaml: nc: there are 4 classes, and 3 names'],
  ['a place that is not there', `train: images/tain\n${NAMES}`, 'set/data.yaml: train: no folder or list "images/tain"'],
  ['a place that is a number', `train: 3\n${NAMES}`, 'set/data.yaml: train: expected a folder, a list, or several, received 3'],
]; // prettier-ignore

it.each(YAML)('refuses %s', async (_, text, expected) => {
  const { message } = await refused(read(text));
  expect(message.slice(0, expected.length)).toBe(expected);
});

const LINES: readonly (readonly [string, string, string])[] = [
  ['a polygon', '0 0.1 0.1 0.2 0.2 0.3 0.3', 'bad/labels/1.txt:2: expected a box of five numbers, class cx cy width height, received 7: "0 0.1 0.1 0.2 0.2 0.3 0.3"'],
  ['a word', '0 0.1 x 0.2 0.2', 'bad/labels/1.txt:2: "x" is no number'],
  ['a class beyond the names', '2 0.5 0.5 0.2 0.2', 'bad/labels/1.txt:2: the class is 2, and there are the classes 0 … 1'],
  ['half a class', '0.5 0.5 0.5 0.2 0.2', 'bad/labels/1.txt:2: the class is 0.5'],
  ['a negative width', '0 0.5 0.5 -0.2 0.2', 'bad/labels/1.txt:2: the box is reversed'],
  ['pixels', '0 40 20 10 10', 'bad/labels/1.txt:2: less than a quarter of the box lies in its picture of 40x80 pixels (height x width): xmin 35, ymin 15, xmax 45, ymax 25 as shares of its sides'],
]; // prettier-ignore

it.each(LINES)('refuses a line with %s', async (_, line, expected) => {
  await picture('bad/images/1.png');
  await put('bad/labels/1.txt', `0 0.5 0.5 0.1 0.1\n${line}\n`);
  const { message } = await refused(readYolo(at('bad/images'), { part: 'train', classes: ['cat', 'dog'] }));
  expect(message.slice(0, expected.length)).toBe(expected);
});

it('refuses a split without any boxes, and lists with pictures that are missing or listed twice', async () => {
  await picture('empty/images/1.png');
  const classes = ['cat', 'dog'];
  const none = await refused(readYolo(at('empty/images'), { part: 'train', classes }));
  expect(none.message).toBe('empty/images: none of its pictures has a file of boxes; the first such file would be empty/labels/1.txt'); // prettier-ignore
  const list = async (text: string) =>
    (await refused(readYolo(await put('set/list.txt', text), { part: 'train', classes }))).message;
  expect(await list('images/val/3.png\nimages/val/4.png')).toBe('set/list.txt:2: no picture set/images/val/4.png');
  expect(await list('images/val/3.png\n./images/val/3.png')).toBe('set/list.txt:2: set/images/val/3.png is in line 1 too'); // prettier-ignore
  expect(await list('\n')).toBe('set/list.txt: the list names no picture');
});
