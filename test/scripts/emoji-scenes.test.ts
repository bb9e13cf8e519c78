import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readMaskFolder } from '../../src/data/readers/mask-folder.ts';
import { IGNORED } from '../../src/data/targets/ignored.ts';
import { ROOT } from '../support/built.ts';

interface Scenes {
  numbersFrom(seed: number): () => number;
  texture(size: number, random: () => number): Float32Array;
  paste(scene: object, source: object, number: number, place: object): number;
}
const SCENES = '../../scripts/scenes.mjs';
const { numbersFrom, paste, texture } = (await import(SCENES)) as Scenes;

const at = (...parts: string[]): string => path.join(ROOT, 'datasets/emoji-scenes', ...parts);

/** COCO's object detection. */
interface Annotations {
  readonly images: readonly { readonly id: number; readonly file_name: string }[];
  readonly categories: readonly { readonly id: number; readonly name: string }[];
  readonly annotations: readonly {
    readonly image_id: number;
    readonly category_id: number;
    readonly bbox: readonly [number, number, number, number];
    readonly area: number;
  }[];
}

it.each([
  ['train', 1000],
  ['test', 200],
])('%s of emoji-scenes has the checksum of its README', (split, count) => {
  const sums = createHash('sha256');
  const pictures = readdirSync(at(split, 'images')).sort();
  expect(pictures).toHaveLength(count);
  for (const name of pictures)
    sums
      .update(readFileSync(at(split, 'images', name)))
      .update(readFileSync(at(split, 'masks', name.replace('.jpg', '.png'))));
  expect(readFileSync(at('README.md'), 'utf8')).toContain(sums.digest('hex'));
});

it('masks and boxes of emoji-scenes agree', async () => {
  const { labels, classNames, sampleShape } = await readMaskFolder(at('test'), { part: 'train' });
  const values = labels.values as Uint8Array;
  const [height, width] = sampleShape as [number, number, number];
  const { images, categories, annotations } = JSON.parse(
    readFileSync(at('annotations/test.json'), 'utf8'),
  ) as Annotations;
  expect(classNames).toEqual(['background', ...categories.map(({ name }) => name)]);
  expect(images.map(({ file_name: name }) => name)).toEqual(readdirSync(at('test/images')).sort());
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const areas = new Map<number, number>();
  for (const { image_id: image, category_id: category, bbox, area } of annotations) {
    const [left, top, across, down] = bbox;
    expect(left + across).toBeLessThanOrEqual(width);
    expect(top + down).toBeLessThanOrEqual(height);
    let inside = 0;
    for (let y = top; y < top + down; y++)
      for (let x = left; x < left + across; x++) {
        const value = values[((image - 1) * height + y) * width + x];
        if (value === category || value === IGNORED) inside++;
      }
    expect(inside).toBeGreaterThanOrEqual(area);
    areas.set(category, (areas.get(category) ?? 0) + area);
  }
  // Pixels that are half an emoji belong to its area, and have no class in the mask.
  for (const { id } of categories) {
    expect(areas.get(id)).toBeGreaterThanOrEqual(counts.get(id)!);
    expect(areas.get(id)).toBeLessThan(counts.get(id)! + counts.get(IGNORED)!);
  }
});

it('pasting covers pixels by how much of them the picture takes', () => {
  const size = 8;
  const scene = {
    ...{ size, pixels: new Float32Array(size * size * 3).fill(100) },
    ...{ owner: new Uint8Array(size * size), isMixed: new Uint8Array(size * size) },
  };
  const source = { size: 2, data: Uint8Array.from({ length: 16 }, () => 255) };
  const place = { x: 4, y: 4, length: 2, turn: 0, isMirrored: false, gains: [0.5, 1, 1] };
  // A picture of 2×2 pixels fades out over half a pixel at its borders: a corner has 0.875² of the centre's opacity.
  expect(paste(scene, source, 7, place)).toBe(4);
  const owned = Array.from(scene.owner.keys()).filter((i) => scene.owner[i] === 7);
  expect(owned).toEqual([27, 28, 35, 36]);
  const opacity = 0.875 ** 2;
  expect(scene.pixels[27 * 3]).toBeCloseTo(100 + (127.5 - 100) * opacity, 3);
  expect(scene.pixels[27 * 3 + 1]).toBeCloseTo(100 + 155 * opacity, 3);
  expect(scene.isMixed.every((value) => value === 0)).toBe(true);
});

it('textures follow from their seed', () => {
  const draw = (seed: number): Float32Array => texture(16, numbersFrom(seed));
  expect(draw(3)).toEqual(draw(3));
  expect(draw(3)).not.toEqual(draw(4));
});
