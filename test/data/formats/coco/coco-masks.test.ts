import { readCocoMasks } from '../../../../src/data/formats/coco/coco-masks.ts';
import { parseRecipe } from '../../../../src/recipe/load.ts';
import { boxFolder } from '../../../support/boxes-read.ts';

const { at, put, picture, refused } = boxFolder();

const IMAGES = [
  { id: 7, file_name: 'b.png', height: 4, width: 6 },
  { id: 3, file_name: 'a.png' },
];
const CATEGORIES = [
  { id: 18, name: 'dog' },
  { id: 1, name: 'person' },
];
const SQUARE = [1, 1, 4, 1, 4, 3, 1, 3];
const RUNS = { size: [4, 6], counts: [0, 4, 20] };
const ANNOTATIONS: Record<string, unknown>[] = [
  { image_id: 7, category_id: 18, segmentation: [SQUARE] },
  { image_id: 7, category_id: 1, segmentation: RUNS, iscrowd: 1 },
  { image_id: 7, category_id: 1, segmentation: { size: [4, 6], counts: '75<' } },
];
const whole = { images: IMAGES, categories: CATEGORIES, annotations: ANNOTATIONS };

beforeAll(async () => {
  for (const name of ['b', 'a']) await picture(`pics/${name}.png`, { height: 4, width: 6 });
  await picture('pics/wide.png', { height: 4, width: 8 });
});

const read = async (content: unknown, options: Partial<Parameters<typeof readCocoMasks>[1]> = {}) => {
  const file = await put('m.json', typeof content === 'string' ? content : JSON.stringify(content));
  return readCocoMasks({ images: at('pics'), labels: file }, { part: 'train', ...options });
};
const maskOf = (split: Awaited<ReturnType<typeof read>>, row: number): string[] => {
  if (split.labels.kind !== 'numbers') throw new Error('no masks');
  const own = [...(split.labels.values as Uint8Array).subarray(row * 24, (row + 1) * 24)];
  return Array.from({ length: 4 }, (_, y) => own.slice(6 * y, 6 * y + 6).join(''));
};

it('later annotations lie over earlier ones and all over crowds; what none covers is background', async () => {
  const split = await read(whole);
  expect(split.classNames).toEqual(['background', 'person', 'dog']);
  expect(split.sampleShape).toEqual([4, 6, 3]);
  // The text has runs of 7 and 5 pixels, and 12 more: from row 3 of column 1 to the end of column 2.
  expect(maskOf(split, 0)).toEqual(['101000', '121200', '121200', '111000']);
  expect(maskOf(split, 1)).toEqual(['000000', '000000', '000000', '000000']);
  const named = { ...whole, categories: [...CATEGORIES, { id: 20, name: 'background' }] };
  expect((await read(named)).classNames).toEqual(['background', 'person', 'dog']);
});

it('masks are resized with their pictures; without labels no file is read', async () => {
  const { labels, sampleShape } = await read(whole, { resize: [8, 12] });
  expect([sampleShape, labels.kind === 'numbers' && labels.width]).toEqual([[8, 12, 3], 96]);
  const split = await readCocoMasks({ images: at('pics') }, { part: 'train', resize: [4, 6], withoutLabels: true });
  expect(split.labels).toEqual({ kind: 'index', values: new Int32Array(3).fill(-1) });
});

const annotated = (change: object) => ({ ...whole, annotations: [ANNOTATIONS[0], { ...ANNOTATIONS[1], ...change }] });
const pictured = (change: object) => ({ ...whole, images: [{ ...IMAGES[0], ...change }, IMAGES[1]] });
const runs = (change: object) => annotated({ segmentation: { ...RUNS, ...change } });
const FORM =
  'expected polygons of at least three corners, [[x, y, x, y, …]], or run lengths, { size, counts }, received ';

it.each<[string, unknown, string]>([
  ['a truncated file', JSON.stringify(whole).slice(0, 200), 'm.json: not usable JSON'],
  ['an empty file', '', 'm.json: not usable JSON'],
  ['a list', [], 'm.json: the whole: expected object, received []'],
  ['no annotations', { ...whole, annotations: undefined }, 'm.json: annotations: expected array, received nothing'],
  ['no pictures', { ...whole, images: [] }, 'm.json: images: '],
  ['no categories', { ...whole, categories: [] }, 'm.json: categories: '],
  ['a category twice', { ...whole, categories: [CATEGORIES[0], { id: 18, name: 'cat' }] }, 'm.json: categories[1].id: 18 is that of [0] too'],
  ['a name twice', { ...whole, categories: [CATEGORIES[0], { id: 2, name: 'dog' }] }, 'm.json: categories[1].name: "dog" is that of [0] too'],
  ['a picture twice', { ...whole, images: [IMAGES[0], { id: 1, file_name: 'b.png' }] }, 'm.json: images[1].file_name: "b.png" is that of [0] too'],
  ['an unknown picture', annotated({ image_id: 8 }), 'm.json: annotations[1].image_id: no picture of `images` has the id 8'],
  ['an unknown category', annotated({ category_id: 2 }), 'm.json: annotations[1].category_id: no category of `categories` has the id 2'],
  ['a picture that is not there', pictured({ file_name: 'c.png' }), 'm.json: images[0]: no picture'],
  ['a picture of another size', pictured({ file_name: 'wide.png' }), 'm.json: images[0]: the picture is 4x6 (height x width), and '],
  ['no mask', annotated({ segmentation: undefined }), `m.json: annotations[1].segmentation: ${FORM}nothing`],
  ['an empty mask', annotated({ segmentation: [] }), `m.json: annotations[1].segmentation: expected array to have >=1 items, received []`],
  ['a polygon that is not in a list', annotated({ segmentation: SQUARE }), `m.json: annotations[1].segmentation: ${FORM}`],
  ['a polygon of two corners', annotated({ segmentation: [[1, 1, 2, 2]] }), 'm.json: annotations[1].segmentation[0]: expected array to have >=6 items'],
  ['half a corner', annotated({ segmentation: [[...SQUARE, 5]] }), 'm.json: annotations[1].segmentation[0]: expected x and y of each corner, received '],
  ['words in a polygon', annotated({ segmentation: [['a', ...SQUARE.slice(1)]] }), `m.json: annotations[1].segmentation: ${FORM}`],
  ['a corner at null', annotated({ segmentation: [[null, ...SQUARE.slice(1)]] }), `m.json: annotations[1].segmentation: ${FORM}`],
  ['a polygon whose boundary has no end', annotated({ segmentation: [SQUARE, [0, 0, 1e300, 0, 0, 5]] }), 'm.json: annotations[1].segmentation[1]: the polygon reaches too far out of its picture of 4x6 pixels (height x width), or around too often: corner 1 is at 1e+300, 0'],
  ['run lengths of another size', runs({ size: [6, 4] }), 'm.json: annotations[1].segmentation.size: the mask is 6x4 (height x width), and its picture 4x6'],
  ['run lengths without a size', runs({ size: undefined }), `m.json: annotations[1].segmentation: ${FORM}`],
  ['too few pixels', runs({ counts: [0, 4, 19] }), 'm.json: annotations[1].segmentation.counts: the runs have 23 pixels, expected 24 of all runs together'],
  ['too many pixels', runs({ counts: [0, 4, 21] }), 'm.json: annotations[1].segmentation.counts[2]: the runs up to it have 25 pixels, expected 24 of all runs together'],
  ['a negative run', runs({ counts: [5, -1, 20] }), 'm.json: annotations[1].segmentation.counts[1]: the runs up to it have 4 pixels'],
  ['half a pixel', runs({ counts: [0, 4.5, 19.5] }), `m.json: annotations[1].segmentation: ${FORM}`],
  ['a text of other signs', runs({ counts: '75 <' }), 'm.json: annotations[1].segmentation.counts: the text is no run lengths from character 3 on (of 4)'],
  ['a text that is cut off', runs({ counts: '75P' }), 'm.json: annotations[1].segmentation.counts: the text is no run lengths from character 4 on (of 3)'],
  ['a text of endless lengths', runs({ counts: 'ooooooooooo' }), 'm.json: annotations[1].segmentation.counts: the text is no run lengths'],
  ['an empty text', runs({ counts: '' }), 'm.json: annotations[1].segmentation.counts: the runs have 0 pixels'],
  ['a text of too few pixels', runs({ counts: '75' }), 'm.json: annotations[1].segmentation.counts: the runs have 12 pixels'],
  ['a crowd of 2', annotated({ iscrowd: 2 }), 'm.json: annotations[1].iscrowd: '],
])('refuses %s by its place', async (_, content, message) => {
  const { message: found, hint } = await refused(read(content));
  expect(found).toContain(message);
  expect(hint).not.toBe('');
}); // prettier-ignore

it('are stretched, as masks cover whole pictures: a letterbox is refused', () => {
  const recipe = (fit: string): string =>
    `name: m\ndataset: { type: coco, task: segmentation, ${fit}train: { images: a, labels: b }, resize: [32, 32] }\nstudent: { model: unet }\n`;
  expect(parseRecipe(recipe(''), 'm.yaml').recipe.dataset).toMatchObject({ fit: 'stretch' });
  expect(() => parseRecipe(recipe('fit: letterbox, '), 'm.yaml')).toThrow(
    /dataset\.fit: expected stretch for segmentation, whose masks cover whole pictures, received letterbox/,
  );
});
