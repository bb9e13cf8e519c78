import { readVoc } from '../../../../src/data/formats/voc/voc.ts';
import { boxFolder, targetsOf } from '../../../support/boxes-read.ts';

const { at, put, picture, refused, notes } = boxFolder();

const object = (name: string, [xmin, ymin, xmax, ymax]: readonly (number | string)[], more = '') =>
  `<object>\n<name>${name}</name>${more}<bndbox><xmin>${xmin}</xmin><ymin>${ymin}</ymin><xmax>${xmax}</xmax><ymax>${ymax}</ymax></bndbox></object>`;
const annotation = (inside: string, [height, width] = [40, 80]) =>
  `<?xml version="1.0"?>\n<annotation verified="yes">\n<filename>x</filename><size><width>${width}</width><height>${height}</height><depth>3</depth></size>\n${inside}\n</annotation>\n`;

const PART = '<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part>';

beforeAll(async () => {
  for (const name of ['1.jpg', '2.jpg', '3.png']) await picture(`voc/JPEGImages/${name}`);
  await put('voc/Annotations/1.xml', annotation(object('dog', [9, 5, 48, 24]) + object('cat', [1, 1, 80, 40], `${PART}<difficult>1</difficult>`))); // prettier-ignore
  await put('voc/Annotations/2.xml', annotation('', [0, 0]));
  await put('voc/Annotations/3.xml', annotation(object('person &amp; dog', ['1.0', 1, '20.5', 10], '<difficult>0</difficult>'))); // prettier-ignore
});

it('reads the objects of each picture, with corners that count from 1, and difficult ones as ignored', async () => {
  const split = await readVoc(at('voc'), {});
  expect(split.classNames).toEqual(['cat', 'dog', 'person & dog']);
  expect(targetsOf(split, 0)).toEqual({
    pixels: 3200,
    boxes: [[1, 0.1, 0.1, 0.6, 0.6, 800, 0], [0, 0, 0, 1, 1, 3200, 1]],
  }); // prettier-ignore
  expect(targetsOf(split, 1)).toEqual({ pixels: 3200, boxes: [] });
  expect(targetsOf(split, 2).boxes).toEqual([[2, 0, 0, 0.25625, 0.25, 205, 0]]);
  expect(notes(split)).toEqual([]);
});

it('reads the pictures of a list, and refuses the whole of a folder with lists', async () => {
  await put('whole/ImageSets/Main/train.txt', '2\n1\n');
  for (const name of ['1', '2', '3']) {
    await picture(`whole/JPEGImages/${name}.jpg`);
    await put(`whole/Annotations/${name}.xml`, annotation(object('dog', [9, 5, 48, 24])));
  }
  const split = await readVoc(at('whole/ImageSets/Main/train.txt'), { classes: ['cat', 'dog'] });
  expect([split.classNames, split.labels.values.length / 351]).toEqual([['cat', 'dog'], 2]);
  expect(targetsOf(split, 0).boxes[0]![0]).toBe(1);
  const { message, hint } = await refused(readVoc(at('whole'), {}));
  expect(message).toBe('whole: it holds lists of the pictures of its splits: ImageSets/Main/train.txt');
  expect(hint).toContain('whole/ImageSets/Main/train.txt');
  await put('whole/ImageSets/Main/dog_train.txt', '2 1\n1 -1\n');
  const twoColumns = await refused(readVoc(at('whole/ImageSets/Main/dog_train.txt'), {}));
  expect(twoColumns.message).toBe('whole/ImageSets/Main/dog_train.txt:1: no picture "2 1"');
});

it('reads pictures without their annotations', async () => {
  for (const folder of ['voc', 'voc/JPEGImages']) {
    const split = await readVoc(at(folder), { withoutLabels: true });
    expect([split.labels.kind, split.labels.values.length, split.classNames]).toEqual(['index', 3, undefined]);
  }
});

it('refuses a picture without an annotation, and notes an annotation without a picture', async () => {
  await picture('few/JPEGImages/1.jpg');
  await put('few/Annotations/2.xml', annotation(''));
  const { message } = await refused(readVoc(at('few'), {}));
  expect(message).toBe('few/JPEGImages/1.jpg: its annotation is missing, expected few/Annotations/1.xml');
  await put('few/Annotations/1.xml', annotation(''));
  expect(notes(await readVoc(at('few'), {}))).toEqual([
    'few/Annotations: 1 of its annotations have no picture and are not read, such as few/Annotations/2.xml',
  ]);
  const other = await refused(readVoc(at('few/JPEGImages'), {}));
  expect(other.message).toBe('few/JPEGImages: expected the folders JPEGImages and Annotations, received 1.jpg');
});

const CASES: readonly (readonly [string, string, string])[] = [
  ['an unknown class', annotation(object('dgo', [1, 1, 9, 9])), 'one/Annotations/1.xml:5: unknown label "dgo", expected one of 2 classes: cat, dog'],
  ['a reversed box', annotation(object('dog', [9, 1, 1, 9])), 'one/Annotations/1.xml:5: the box is reversed'],
  ['a box outside', annotation(object('dog', [90, 1, 99, 9])), 'one/Annotations/1.xml:5: less than a quarter of the box lies'],
  ['a corner that is a word', annotation(object('dog', ['x', 1, 9, 9])), 'one/Annotations/1.xml:5: <xmin> is "x", expected a number'],
  ['a missing box', annotation('<object><name>dog</name></object>'), 'one/Annotations/1.xml:4: <object> has 0 elements <bndbox>, expected one'],
  ['two names', annotation(object('dog', [1, 1, 9, 9], '<name>cat</name>')), 'one/Annotations/1.xml:4: <object> has 2 elements <name>, expected one'],
  ['no name', annotation(object('', [1, 1, 9, 9])), 'one/Annotations/1.xml:4: the object has no name'],
  ['a strange difficulty', annotation(object('dog', [1, 1, 9, 9], '<difficult>yes</difficult>')), 'one/Annotations/1.xml:4: <difficult> is "yes", expected 0 or 1'],
  ['another size', annotation('', [41, 80]), 'one/Annotations/1.xml: the picture is 41x80 (height x width), and one/JPEGImages/1.jpg is 40x80'],
  ['another root', '<svg/>', 'one/Annotations/1.xml:1: expected an element <annotation>, received <svg>'],
  ['no XML', 'dog 1 2 3 4', 'one/Annotations/1.xml:1: not usable XML: text outside of the root element: dog 1 2 3 4'],
]; // prettier-ignore

it.each(CASES)('refuses %s', async (_, text, expected) => {
  await picture('one/JPEGImages/1.jpg');
  await put('one/Annotations/1.xml', text);
  const { message } = await refused(readVoc(at('one'), { classes: ['cat', 'dog'] }));
  expect(message.slice(0, expected.length)).toBe(expected);
});
