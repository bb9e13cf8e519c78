import { symlink } from 'node:fs/promises';
import { readCoco } from '../../../../src/data/formats/coco/coco.ts';
import { boxFolder, targetsOf } from '../../../support/boxes-read.ts';

const { at, put, picture, refused, notes } = boxFolder();

const IMAGES = [
  { id: 7, file_name: 'b.png', height: 40, width: 80, license: 3 },
  { id: 3, file_name: 'deep/a.jpg', height: 60, width: 20 },
  { id: 9, file_name: 'none.png', height: 40, width: 80 },
];
const CATEGORIES = [
  { id: 18, name: 'dog', supercategory: 'animal' },
  { id: 1, name: 'person' },
  { id: 5, name: 'kite' },
];
const ANNOTATIONS = [
  { id: 1, image_id: 7, category_id: 18, bbox: [8, 4, 40, 20], area: 700.5, iscrowd: 0, segmentation: [[1, 2, 3]] },
  { id: 2, image_id: 3, category_id: 1, bbox: [5, 30, 10, 15] },
  { id: 3, image_id: 7, category_id: 5, bbox: [0, 0, 80, 40], area: 3200, iscrowd: 1 },
];

beforeAll(async () => {
  await picture('pics/b.png');
  await picture('pics/deep/a.jpg', { height: 60, width: 20 });
  await picture('pics/none.png');
});

const read = async (content: unknown, options: Partial<Parameters<typeof readCoco>[1]> = {}) => {
  const file = await put('a.json', typeof content === 'string' ? content : JSON.stringify(content));
  return readCoco({ images: at('pics'), labels: file }, { resize: [40, 80], fit: 'stretch', ...options });
};
const whole = { images: IMAGES, categories: CATEGORIES, annotations: ANNOTATIONS };

it('reads boxes, areas and crowds of each picture, and classes in the order of their ids', async () => {
  const split = await read(whole, { maxBoxes: 3 });
  expect(split.classNames).toEqual(['person', 'kite', 'dog']);
  expect(split.sampleShape).toEqual([40, 80, 3]);
  expect(split.samples).toHaveLength(3 * 40 * 80 * 3);
  expect(targetsOf(split, 0)).toEqual({
    pixels: 3200,
    boxes: [[2, 0.1, 0.1, 0.6, 0.6, 700.5, 0], [1, 0, 0, 1, 1, 3200, 1]],
  }); // prettier-ignore
  expect(targetsOf(split, 1)).toEqual({ pixels: 1200, boxes: [[0, 0.25, 0.5, 0.75, 0.75, 150, 0]] });
  expect(targetsOf(split, 2)).toEqual({ pixels: 3200, boxes: [] });
  expect(notes(split)).toEqual([]);
});

it('keeps the proportions of a picture, with grey beside it, and moves its boxes', async () => {
  const split = await read(whole, { fit: undefined });
  // 60x20 becomes 40x13, from column 33.
  expect(targetsOf(split, 1)).toEqual({
    pixels: Math.round((40 * 80 * 60 * 20) / (40 * 13)),
    boxes: [[0, (33 + 13 * 0.25) / 80, 0.5, (33 + 13 * 0.75) / 80, 0.75, 150, 0].map((value) => Number(value.toFixed(5)))],
  }); // prettier-ignore
  const samples = split.samples as Uint8Array;
  const pixel = (row: number, x: number, y: number) => [...samples.subarray((row * 3200 + y * 80 + x) * 3).slice(0, 3)];
  expect(pixel(1, 32, 20)).toEqual([114, 114, 114]);
  expect(pixel(1, 46, 20)).toEqual([114, 114, 114]);
  for (const x of [33, 45]) expect(Math.abs(pixel(1, x, 20)[1]! - 200)).toBeLessThan(4);
  expect(targetsOf(split, 0)).toEqual(targetsOf(await read(whole), 0));
});

it('reads pictures alone without labels', async () => {
  const without = { withoutLabels: true, resize: [8, 8] as const };
  const split = await readCoco({ images: at('pics') }, without);
  expect([split.labels.kind, split.labels.values.length, split.maxBoxes]).toEqual(['index', 3, 50]);
  expect((await read(whole, without)).labels.kind).toBe('index');
});

it('cuts boxes at the border, and leaves out boxes without width or height, with a note', async () => {
  const annotations = [
    { image_id: 7, category_id: 1, bbox: [-0.5, 0, 40.5, 20] },
    { image_id: 7, category_id: 1, bbox: [-10, 30, 40, 20] },
    { image_id: 7, category_id: 1, bbox: [3, 3, 0, 20] },
  ];
  const split = await read({ ...whole, annotations });
  expect(targetsOf(split, 0).boxes).toEqual([[0, 0, 0, 0.5, 0.5, 800, 0], [0, 0, 0.75, 0.375, 1, 300, 0]]); // prettier-ignore
  expect(notes(split)).toEqual([
    'a.json: 1 boxes reach beyond the border of their picture by more than a pixel and are cut there, such as a.json: annotations[1]',
    'a.json: 1 boxes have no width or no height and are left out, such as a.json: annotations[2]',
  ]);
});

const box = (bbox: readonly unknown[], more: object = {}) => ({ ...whole, annotations: [{ image_id: 7, category_id: 1, bbox, ...more }] }); // prettier-ignore
const CASES: readonly (readonly [string, unknown, string])[] = [
  ['no JSON', '{"images": [', 'a.json: not usable JSON: '],
  ['another encoding', 'ÿ', 'a.json: not usable JSON: '],
  ['no object', [], 'a.json: the whole: expected object, received []'],
  ['no categories', { images: IMAGES, annotations: [] }, 'a.json: categories: expected array, received nothing'],
  ['no picture', { ...whole, images: [] }, 'a.json: images: '],
  ['a box that is a text', box(['a', 0, 1, 1]), 'a.json: annotations[0].bbox[0]: expected number, received "a"'],
  ['a box of three numbers', box([0, 1, 1]), 'a.json: annotations[0].bbox'],
  ['a reversed box', box([8, 8, -4, 4]), 'a.json: annotations[0]: the box is reversed: xmin 8, ymin 8, xmax 4, ymax 12'],
  ['a box outside of its picture', box([90, 8, 4, 4]), 'a.json: annotations[0]: less than a quarter of the box lies in its picture of 40x80'],
  ['a box of another size of the picture', box([60, 30, 60, 60]), 'a.json: annotations[0]: less than a quarter of the box'],
  ['an unknown picture', box([0, 0, 1, 1], { image_id: 8 }), 'a.json: annotations[0].image_id: no picture of `images` has the id 8'],
  ['an unknown category', box([0, 0, 1, 1], { category_id: 2 }), 'a.json: annotations[0].category_id: no category of `categories` has the id 2'],
  ['a negative area', box([0, 0, 1, 1], { area: -1 }), 'a.json: annotations[0].area'],
  ['a crowd of two', box([0, 0, 1, 1], { iscrowd: 2 }), 'a.json: annotations[0].iscrowd: expected one of 0|1|false|true, received 2'],
  ['an id of two pictures', { ...whole, images: [IMAGES[0], { ...IMAGES[1], id: 7 }] }, 'a.json: images[1].id: 7 is that of [0] too'],
  ['a picture that is listed twice', { ...whole, images: [IMAGES[0], IMAGES[1], { ...IMAGES[0], id: 8 }] }, 'a.json: images[2].file_name: "b.png" is that of [0] too'],
  ['a picture under two names', { ...whole, images: [...IMAGES, { id: 8, file_name: './b.png' }] }, 'a.json: images[3]: the picture pics/b.png is that of a.json: images[0] too'],
  ['a category twice', { ...whole, categories: [...CATEGORIES, { id: 2, name: 'dog' }] }, 'a.json: categories[3].name: "dog" is that of [0] too'],
  ['a missing picture', { ...whole, images: [...IMAGES, { id: 8, file_name: 'c.png' }] }, 'a.json: images[3]: no picture pics/c.png'],
  ['a picture of another size', { ...whole, images: [{ ...IMAGES[0], height: 41 }, ...IMAGES.slice(1)] }, 'a.json: images[0]: the picture is 41x80 (height x width), and pics/b.png is 40x80'],
]; // prettier-ignore

it.each(CASES)('refuses %s', async (_, content, expected) => {
  const { message } = await refused(read(content));
  expect(message.slice(0, expected.length)).toBe(expected);
});

it('refuses more boxes than there is place for, with the number that is needed', async () => {
  const { message, hint } = await refused(read(whole, { maxBoxes: 1 }));
  expect(message).toBe('a.json: images[0]: the picture has 2 boxes, expected at most 1 (dataset.maxBoxes)');
  expect(hint).toContain('`dataset.maxBoxes: 2`');
});

it('refuses a picture that its file turns, if it was annotated unturned, and a damaged picture', async () => {
  await picture('pics/turned.jpg', { height: 40, width: 80, orientation: 6 });
  const images = [{ id: 7, file_name: 'turned.jpg', height: 40, width: 80 }];
  const { message } = await refused(read({ ...whole, images, annotations: [] }));
  expect(message).toBe('a.json: images[0]: the picture is 40x80 (height x width), and pics/turned.jpg is 80x40, turned by its EXIF orientation'); // prettier-ignore
  const upright = [{ ...images[0], height: 80, width: 40 }];
  const annotations = [{ image_id: 7, category_id: 1, bbox: [0, 0, 20, 20] }];
  const split = await read({ ...whole, images: upright, annotations });
  expect(targetsOf(split, 0).boxes).toEqual([[0, 0, 0, 0.5, 0.25, 400, 0]]);
  await put('pics/bad.png', 'no picture');
  const bad = await refused(read({ ...whole, images: [{ id: 7, file_name: 'bad.png' }], annotations: [] }));
  expect(bad.message).toContain('pics/bad.png: cannot decode the image: ');
});

it('refuses pictures outside of the folder, and follows links in it', async () => {
  await picture('secret/other.png');
  const named = (name: string) => ({ ...whole, images: [{ ...IMAGES[0]!, file_name: name }, ...IMAGES.slice(1)] });
  for (const name of ['../secret/other.png', 'deep/../../secret/other.png']) {
    const { message, hint } = await refused(read(named(name)));
    expect(message).toBe(`a.json: images[0].file_name: ${JSON.stringify(name)} leads out of pics`);
    expect(hint).toContain('`images`');
  }
  await symlink(at('secret'), at('pics/linked'));
  expect((await read(named('linked/other.png'))).classNames).toHaveLength(3);
  // As the hint says: the folder above holds all pictures.
  const above = { ...whole, annotations: [], images: [{ id: 1, file_name: 'secret/other.png' }] };
  const file = await put('above.json', JSON.stringify(above));
  expect((await readCoco({ images: at('.'), labels: file }, { resize: [8, 8], fit: 'stretch' })).samples).toHaveLength(192); // prettier-ignore
});
