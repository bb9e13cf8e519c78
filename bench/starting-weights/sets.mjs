/** Sets of pictures of emoji for table.mjs. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Buffer } from 'node:buffer';
import path from 'node:path';
import sharp from 'sharp';
import { numbersFrom, paste, texture } from '../../scripts/scenes.mjs';

const FONT = 'twitter';
const SIZE = 128;
/** Pictures of each class in a split; the rest is test, up to a limit. */
const COUNTS = { train: 40, validation: 20, test: 60 };

/**
 * Folders of splits, of classes, of pictures: an emoji each on a texture, by its category. An emoji is in one split. `from`: the npm package
 * emoji-datasource-twitter, unpacked.
 */
export async function picturesOf(from, to) {
  const emoji = JSON.parse(readFileSync(path.join(from, 'emoji.json'), 'utf8')).filter((one) => one[`has_img_${FONT}`]);
  const hash = (name) => createHash('sha256').update(name).digest();
  const categories = [...new Set(emoji.map(({ category }) => category))].filter((name) => name !== 'Component').sort();
  for (const category of categories) {
    const own = emoji
      .filter((one) => one.category === category)
      .sort((a, b) => Buffer.compare(hash(a.unified), hash(b.unified)));
    for (const [split, count] of Object.entries(COUNTS)) {
      const folder = path.join(to, split, category.toLowerCase().replaceAll(/[^a-z]+/g, '-'));
      mkdirSync(folder, { recursive: true });
      for (const one of own.splice(0, count))
        await picture(from, one, path.join(folder, one.image), numbersFrom(hash(one.unified).readUInt32BE()));
    }
  }
}

async function picture(from, { image }, file, random) {
  const { data, info } = await sharp(path.join(from, 'img', FONT, '64', image))
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const scene = {
    size: SIZE,
    pixels: texture(SIZE, random),
    owner: new Uint8Array(SIZE ** 2),
    isMixed: new Uint8Array(SIZE ** 2),
  };
  paste(scene, { size: info.width, data }, 1, {
    ...{ x: SIZE * (0.4 + 0.2 * random()), y: SIZE * (0.4 + 0.2 * random()), length: SIZE * (0.5 + 0.4 * random()) },
    ...{
      turn: (random() - 0.5) * 0.7,
      isMirrored: random() < 0.5,
      gains: Array.from({ length: 3 }, () => 0.85 + 0.3 * random()),
    },
  });
  const colours = Uint8Array.from(scene.pixels, (value) => Math.max(0, Math.min(255, Math.round(value))));
  await sharp(colours, { raw: { width: SIZE, height: SIZE, channels: 3 } })
    .png()
    .toFile(file);
}

/** COCO's boxes of the first pictures alone. */
export function subsetOf(from, to, count) {
  const whole = JSON.parse(readFileSync(from, 'utf8'));
  const images = whole.images.slice(0, count);
  const ids = new Set(images.map(({ id }) => id));
  const annotations = whole.annotations.filter(({ image_id: id }) => ids.has(id));
  writeFileSync(to, JSON.stringify({ ...whole, images, annotations }));
}
