import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { loadDataset } from '../../src/data/load.ts';
import { boxColour, maskColour } from '../../src/report/mask-colours.ts';
import '../support/tasks.ts';
import { writePreview } from '../../src/tools/preview.ts';
import { temporaryFolder, userError } from '../data/support.ts';
import { indexedPng } from '../support/png.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder.path, name);

/** Twenty pictures of one colour, 20 × 40 pixels. */
async function pictures(name: string): Promise<string[]> {
  await mkdir(at(name), { recursive: true });
  const bytes = await sharp({ create: { width: 40, height: 20, channels: 3, background: { r: 0, g: 0, b: 200 } } }).png().toBuffer(); // prettier-ignore
  const names = Array.from({ length: 20 }, (_, i) => `${i}.png`);
  for (const one of names) await writeFile(at(`${name}/${one}`), bytes);
  return names;
}

async function preview(
  train: Parameters<typeof writePreview>[1],
  augment: Parameters<typeof writePreview>[2]['dataset']['augment'] = [],
) {
  await writePreview(at('p.png'), train, { dataset: { augment }, seed: 0 });
  const { data, info } = await sharp(await readFile(at('p.png'))).raw().toBuffer({ resolveWithObject: true }); // prettier-ignore
  const pixel = (x: number, y: number): number[] => [...data.subarray((y * info.width + x) * 3).subarray(0, 3)];
  return { info, pixel };
}

it('shows sixteen pictures with the boxes of their classes, after augmentation', async () => {
  const names = await pictures('boxed');
  await writeFile(at('a.json'), JSON.stringify({
    images: names.map((name, id) => ({ id, file_name: name })),
    categories: [{ id: 0, name: 'cat' }, { id: 1, name: 'dog' }],
    annotations: names.map((_, id) => ({ image_id: id, category_id: 1, bbox: [0, 0, 20, 10] })),
  })); // prettier-ignore
  const { train } = await loadDataset({ type: 'coco', task: 'detection', train: { images: at('boxed'), labels: at('a.json') }, validation: 2 }); // prettier-ignore
  const { info, pixel } = await preview(train);
  expect([info.width, info.height]).toEqual([4 * 204 - 4, 4 * 104 - 4]);
  expect(pixel(0, 0)).toEqual([...boxColour(1)]);
  expect(pixel(99, 49)).toEqual([...boxColour(1)]);
  expect(pixel(50, 25)).toEqual([0, 0, 200]);
  // The ground of the name within the corner.
  expect(pixel(3, 3)).toEqual([...boxColour(1)]);
  expect(pixel(202, 50)).toEqual([255, 255, 255]);
  const flipped = await preview(train, [{ flip: 'horizontal' }]);
  const corners = Array.from({ length: 16 }, (_, i) => [(i % 4) * 204, Math.floor(i / 4) * 104] as const);
  const isAtLeft = corners.map(([x, y]) => flipped.pixel(x, y).join() === boxColour(1).join());
  const isAtRight = corners.map(([x, y]) => flipped.pixel(x + 199, y).join() === boxColour(1).join());
  expect(isAtRight).toEqual(isAtLeft.map((is) => !is));
  expect(new Set(isAtLeft).size).toBe(2);
});

it('shows masks over their pictures', async () => {
  await mkdir(at('scenes/masks'), { recursive: true });
  for (const name of await pictures('scenes/images'))
    await writeFile(at(`scenes/masks/${name}`), indexedPng(Uint8Array.from({ length: 800 }, (_, i) => (i % 40 < 20 ? 1 : 255)), { height: 20, width: 40 })); // prettier-ignore
  const { train } = await loadDataset({ type: 'mask-folder', task: 'segmentation', stride: 4, train: at('scenes'), validation: 2 }); // prettier-ignore
  const { pixel } = await preview(train);
  expect(pixel(20, 20)).toEqual(maskColour(1).map((level, c) => ([0, 0, 200][c]! + level) >> 1));
  expect(pixel(180, 20)).toEqual([0, 0, 200]);
});

it('shows points over their pictures, and names that change sides in a flipped one', async () => {
  const names = await pictures('pointed');
  const rows = names.map((name) => `pointed/${name},10,5,30,15`).join('\n');
  await writeFile(at('points.csv'), `file,left_x,left_y,right_x,right_y\n${rows}\n`);
  const config = { type: 'points', task: 'points', train: at('points.csv'), validation: 2, skeleton: [['left', 'right']] } as const; // prettier-ignore
  const { train } = await loadDataset({ ...config, resize: [20, 40] });
  const { info, pixel } = await preview(train);
  // Below the pictures are the names.
  expect([info.width, info.height]).toEqual([4 * 204 - 4, 4 * 104 - 4 + 26]);
  const [left, right] = [[...boxColour(0)], [...boxColour(1)]];
  expect([pixel(50, 25), pixel(150, 75)]).toEqual([left, right]);
  expect(pixel(100, 50)).toEqual([0x33, 0x33, 0x33]);
  expect([pixel(4, 4 * 104 + 3), pixel(204 + 4, 4 * 104 + 3)]).toEqual([left, right]);
  const flipped = await preview(train, [{ flip: 'horizontal' }]);
  const tiles = Array.from({ length: 16 }, (_, i) => [(i % 4) * 204, Math.floor(i / 4) * 104] as const);
  const isPlain = tiles.map(([x, y]) => flipped.pixel(x + 50, y + 25).join() === left.join());
  // A mirrored picture has its left point where the right one was in the mirror.
  const isMirrored = tiles.map(([x, y]) => flipped.pixel(x + 50, y + 75).join() === left.join());
  expect(isMirrored).toEqual(isPlain.map((is) => !is));
  expect(new Set(isPlain).size).toBe(2);
});

it('refuses samples that are no pictures', async () => {
  await writeFile(at('d.csv'), `a,b,label\n${Array.from({ length: 20 }, (_, i) => `${i},1,${i % 2}`).join('\n')}\n`);
  const { train } = await loadDataset({ type: 'csv', train: at('d.csv'), validation: 4 });
  const { message } = await userError(preview(train));
  expect(message).toBe('--preview: expected pictures, received samples of shape [2]');
});
