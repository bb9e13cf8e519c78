import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { loadDataset } from '../../../src/data/load.ts';
import { readMaskFolder } from '../../../src/data/readers/mask-folder.ts';
import { Room } from '../../../src/data/storage/memory-budget.ts';
import { parseRecipe } from '../../../src/recipe/load.ts';
import { indexedPng } from '../../support/png.ts';
import { temporaryFolder, userError } from '../support.ts';

const folder = temporaryFolder();
const [HEIGHT, WIDTH] = [4, 6];

type Options = Parameters<typeof readMaskFolder>[1];
const read = (name: string, options: Partial<Options> = {}) =>
  readMaskFolder(path.join(folder.path, name), { part: 'train', ...options });
const refused = async (name: string, options: Partial<Options> = {}) => {
  const { message, hint } = await userError(read(name, options));
  return { message: message.replaceAll(`${folder.path}${path.sep}`, ''), hint };
};

async function put(file: string, content: Uint8Array | string): Promise<void> {
  const full = path.join(folder.path, file);
  await mkdir(path.dirname(full), { recursive: true });
  await writeFile(full, content);
}

async function picture(file: string, { height = HEIGHT, width = WIDTH, orientation = 1 } = {}): Promise<void> {
  const image = sharp({ create: { width, height, channels: 3, background: { r: 9, g: 8, b: 7 } } });
  const encoded = file.endsWith('.png') ? image.png() : image.withMetadata({ orientation }).jpeg();
  await put(file, await encoded.toBuffer());
}

/** A mask whose pixel i has the class (i + first) mod classes. */
function mask(first = 0, classes = 3, { height = HEIGHT, width = WIDTH } = {}): Uint8Array {
  return indexedPng(
    Uint8Array.from({ length: height * width }, (_, i) => (i + first) % classes),
    { height, width },
  );
}

/** Pictures and masks of these names. */
async function scenes(root: string, names: readonly string[], images = 'images', masks = 'masks'): Promise<void> {
  for (const [i, name] of names.entries()) {
    await picture(`${root}/${images}/${name}.jpg`);
    await put(`${root}/${masks}/${name}.png`, mask(i));
  }
}

it('reads a mask for each picture, in the order of their names; nothing names the classes but their numbers', async () => {
  await scenes('plain', ['b', 'a', 'c']);
  await picture('plain/images/d.png');
  await put(
    'plain/masks/d.PNG',
    indexedPng(new Uint8Array(HEIGHT * WIDTH).fill(255), { height: HEIGHT, width: WIDTH }),
  );
  const { sampleShape, labels, classNames, samples, notes } = await read('plain', { channels: 3 });
  expect(sampleShape).toEqual([HEIGHT, WIDTH, 3]);
  expect(samples).toHaveLength(4 * HEIGHT * WIDTH * 3);
  expect(labels).toMatchObject({ kind: 'numbers', width: HEIGHT * WIDTH });
  const firsts = [0, 1, 2, 3].map((row) => labels.values[row * HEIGHT * WIDTH]);
  expect(firsts).toEqual([1, 0, 2, 255]);
  expect(labels.values.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect(classNames).toEqual(['0', '1', '2']);
  expect(notes).toEqual([]);
});

it('resizes masks with their pictures', async () => {
  await scenes('sizes', ['a']);
  await picture('sizes/images/b.jpg', { height: 8, width: 3 });
  await put('sizes/masks/b.png', mask(0, 2, { height: 8, width: 3 }));
  expect((await refused('sizes')).message).toBe(
    'sizes/images/b.jpg: the image is 8x3 (height x width), but sizes/images/a.jpg is 4x6',
  );
  const { labels } = await read('sizes', { resize: [2, 3] });
  expect([...labels.values.subarray(0, 6)]).toEqual([7, 9, 11, 19, 21, 23].map((at) => at % 3));
  expect([...labels.values.subarray(6)]).toEqual([6, 7, 8, 18, 19, 20].map((at) => at % 2));
});

it('class names are those of labels.txt, or those that the recipe gives them', async () => {
  await scenes('named', ['a', 'b']);
  await put('named/labels.txt', '__ignore__\n_background_\ncat\r\n dog \n\n');
  expect((await read('named')).classNames).toEqual(['_background_', 'cat', 'dog']);
  expect((await read('named', { classes: ['other', 'cat', 'dog'] })).classNames).toEqual(['other', 'cat', 'dog']);
  expect(await refused('named', { classes: ['dog', 'cat', 'other'] })).toEqual({
    message: 'named/labels.txt: names the classes _background_, cat, dog, and the recipe dog, cat, other',
    hint: 'Leave `classes` out, or name as many classes in the order of the file.',
  });
  await put('named/labels.txt', 'a\na\nb');
  expect((await refused('named')).message).toBe('named/labels.txt: names the class "a" twice');
  await put('named/labels.txt', 'cat\n');
  expect((await refused('named')).message).toBe('named/labels.txt: names 1 classes, expected at least 2');
  expect((await read('plain', { part: 'validation' })).classNames).toBeUndefined();
});

it('refuses classes that do not exist, by file and pixel', async () => {
  await scenes('beyond', ['a', 'b']);
  await put('beyond/labels.txt', 'background\ncat');
  expect(await refused('beyond')).toEqual({
    message: 'beyond/masks/a.png: pixel 2, 0 (x, y) is 2, and there are the classes 0 … 1',
    hint: 'Name all classes in the order of their numbers; 255 marks pixels without a class.',
  });
  await rm(path.join(folder.path, 'beyond/labels.txt'));
  // Shades of grey in place of class numbers.
  const shades = Uint8Array.from({ length: HEIGHT * WIDTH }, (_, i) => (i % 2) * 75);
  for (const name of ['a', 'b'])
    await put(`beyond/masks/${name}.png`, indexedPng(shades, { height: HEIGHT, width: WIDTH, kind: 'grey' }));
  expect((await refused('beyond')).message).toBe(
    'beyond: nothing names the classes, and its masks hold 2 numbers up to 75',
  );
  const white = shades.map((value) => (value > 0 ? 255 : 0));
  for (const name of ['a', 'b'])
    await put(`beyond/masks/${name}.png`, indexedPng(white, { height: HEIGHT, width: WIDTH, kind: 'grey' }));
  expect(await refused('beyond', { classes: ['background', 'cat'] })).toEqual({
    message: 'beyond: its masks hold no number besides 0 and 255, and 255 marks pixels without a class',
    hint: 'Write the number of its class at each pixel, such as 1 at those of the object and 0 at the background.',
  });
});

it('refuses a missing mask, a mask of another size, two files of a name and folders within', async () => {
  await scenes('missing', ['a', 'b']);
  await rm(path.join(folder.path, 'missing/masks/b.png'));
  expect((await refused('missing')).message).toBe(
    'missing/images/b.jpg: its mask is missing, expected missing/masks/b.png',
  );
  await put('missing/masks/b.png', mask(0, 3, { height: 6, width: 4 }));
  expect((await refused('missing')).message).toBe(
    'missing/masks/b.png: the mask is 6x4 (height x width), and its picture 4x6',
  );
  await put('missing/masks/b.png', mask());
  await picture('missing/images/a.png');
  expect((await refused('missing')).message).toBe(
    'missing/images/a.png: the name a is that of missing/images/a.jpg too',
  );
  await scenes('splits', ['train/a', 'val/a']);
  expect(await refused('splits')).toEqual({
    message: 'splits/images: expected files, received the folder train with files in it',
    hint: 'Name one split at a time: a folder with its own pictures and masks.',
  });
  expect((await refused('splits/images')).message).toBe(
    'splits/images: expected the folders images and masks, or JPEGImages and SegmentationClass, received train, val',
  );
});

it('says which masks have no picture', async () => {
  await scenes('more', ['a', 'b']);
  await rm(path.join(folder.path, 'more/images/a.jpg'));
  const { notes } = await read('more');
  expect(notes).toEqual([
    expect.stringMatching(/masks: 1 of its masks have no picture and are not read, such as .*a\.png$/),
  ]);
});

it('refuses a picture that its file turns, unless the sizes tell whether the mask is turned too', async () => {
  await scenes('turned', ['a']);
  await picture('turned/images/a.jpg', { orientation: 3 });
  expect((await refused('turned')).message).toBe(
    'turned/images/a.jpg: its EXIF orientation (3) turns it, and whether its mask is turned too is unknown',
  );
  await picture('turned/images/a.jpg', { height: WIDTH, width: HEIGHT, orientation: 6 });
  expect((await read('turned')).sampleShape).toEqual([HEIGHT, WIDTH, 3]);
  await put('turned/masks/a.png', mask(0, 3, { height: WIDTH, width: HEIGHT }));
  expect((await refused('turned')).message).toMatch(/the mask is 6x4 \(height x width\), and its picture 4x6/);
});

it("reads a list of Pascal VOC, in the list's order", async () => {
  await scenes('VOC', ['2007_1', '2007_2', '2007_3'], 'JPEGImages', 'SegmentationClass');
  await picture('VOC/JPEGImages/unlisted.jpg');
  const list = 'VOC/ImageSets/Segmentation/train.txt';
  await put(list, '2007_3\r\n2007_1\n\n');
  const { labels, notes, source } = await read(list);
  expect([labels.values[0], labels.values[HEIGHT * WIDTH]]).toEqual([2, 0]);
  expect(notes).toEqual([]);
  expect(source).toBe(path.join(folder.path, list));
  expect(await refused('VOC')).toEqual({
    message: 'VOC: it holds lists of the pictures of its splits: ImageSets/Segmentation/train.txt',
    hint: 'Name one split at a time, as in `train: VOC/ImageSets/Segmentation/train.txt`.',
  });
  await put(list, '2007_3\n2007_4\n');
  expect((await refused(list)).message).toBe(`${list}:2: no picture "2007_4"`);
  await put(list, '2007_3\n2007_2\n2007_3\n');
  expect((await refused(list)).message).toBe(`${list}:3: 2007_3 is in line 1 too`);
  await put(list, '\n');
  expect((await refused(list)).message).toBe(`${list}: the list names no picture`);
  await put(list, 'unlisted');
  expect((await refused(list)).message).toBe(
    'VOC/JPEGImages/unlisted.jpg: its mask is missing, expected VOC/SegmentationClass/unlisted.png',
  );
});

it('reads pictures without masks where no labels are read', async () => {
  await scenes('plain', ['a']);
  const options = { part: 'unlabelled', withoutLabels: true } as const;
  expect((await read('plain', options)).labels).toEqual({ kind: 'index', values: new Int32Array(4).fill(-1) });
  await picture('photos/x.jpg');
  expect((await read('photos', options)).sampleShape).toEqual([HEIGHT, WIDTH, 3]);
});

it('refuses masks that do not fit into memory', async () => {
  await scenes('large', ['a', 'b']);
  const reading = readMaskFolder(path.join(folder.path, 'large'), { part: 'train' }, { room: new Room(40) });
  expect((await userError(reading)).message).toMatch(
    /large: 2 masks of 4x6 take .* of memory, and .* are free for them/,
  );
});

it('a data set has the masks of its splits as targets; their classes are numbered alike', async () => {
  for (const part of ['train', 'val']) await scenes(`set/${part}`, ['a', 'b', 'c', 'd']);
  const config = {
    type: 'mask-folder',
    task: 'segmentation',
    stride: 2,
    ...{ train: path.join(folder.path, 'set/train'), validation: path.join(folder.path, 'set/val') },
  } as const;
  const { train, validation, classNames } = await loadDataset(config);
  expect(classNames).toEqual(['0', '1', '2']);
  expect(train.targets).toEqual(validation.targets);
  expect(train.targets).toBeInstanceOf(Uint8Array);
  expect(train.targets.buffer).toBeInstanceOf(SharedArrayBuffer);
  const carved = await loadDataset({ ...config, validation: 1, testFraction: 0.25 });
  expect([carved.train, carved.validation, carved.test!].map(({ targets }) => targets.length)).toEqual([48, 24, 24]);
  for (const { ids, targets } of [carved.train, carved.validation, carved.test!])
    ids.forEach((id, row) => expect(targets[row * HEIGHT * WIDTH]).toBe(id % 3));

  await put('set/val/masks/c.png', mask(0, 5));
  const place = (text: string) => text.replaceAll(`${folder.path}${path.sep}`, '');
  expect(place((await userError(loadDataset(config))).message)).toBe(
    'set/val/masks/c.png: pixel 3, 0 (x, y) is 3, and there are the classes 0 … 2',
  );
  await put('set/val/masks/c.png', mask());
  await put('set/train/labels.txt', 'sky\ncat\ndog\n');
  await put('set/val/labels.txt', 'sky\ndog\ncat\n');
  expect(place((await userError(loadDataset(config))).message)).toBe(
    'set/val: its classes are sky, dog, cat, and those of train are sky, cat, dog',
  );
});

it('masks are for segmentation alone: the recipe is refused', async () => {
  const text = 'dataset: { type: mask-folder, train: scenes }\nstudent: { model: ds-cnn }\n';
  expect((await userError(() => parseRecipe(text, 'x.yaml'))).message).toBe(
    'x.yaml:1:18 dataset.type: expected another type for classification: such folders have a class for each pixel, for which task is segmentation, received mask-folder',
  );
});
