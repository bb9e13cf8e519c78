/**
 * Scenes with the class of each pixel and a box around each thing, in the form of `datasets/emoji-scenes`, for `npm run bench:dense`: clothes of Fashion-MNIST
 * on textures, and drawn shapes, half of them thin outlines. `node bench/dense/scenes.mjs garments|shapes FOLDER`; the same version of sharp gives the
 * same files.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import sharp from 'sharp';
import { numbersFrom, paste, texture, visible } from '../../scripts/scenes.mjs';

const SIZE = 160;
const SCENES = { train: 800, test: 200 };
const IGNORED = 255;
const GARMENTS = ['top', 'trouser', 'pullover', 'dress', 'coat', 'sandal', 'shirt', 'sneaker', 'bag', 'boot'];

/** Drawings of 64 by 64 pixels; `r()` gives a random number from 0 to 1. */
const SHAPES = {
  disc: (r) => `<ellipse cx="32" cy="32" rx="${18 + 12 * r()}" ry="${18 + 12 * r()}"/>`,
  square: (r) => `<rect x="${4 + 10 * r()}" y="${4 + 10 * r()}" width="${40 + 6 * r()}" height="${30 + 16 * r()}"/>`,
  triangle: (r) => `<polygon points="${10 + 44 * r()},4 60,${50 + 10 * r()} 4,${50 + 10 * r()}"/>`,
  cross: (r) => `<path d="M26 ${4 + 6 * r()}h12v20h${18 + 4 * r()}v12h-22v${18 + 4 * r()}h-12v-20h-20v-12h20z"/>`,
  star: () => '<polygon points="32,3 39,25 62,25 44,38 51,61 32,47 13,61 20,38 2,25 25,25"/>',
  moon: (r) => `<path d="M40 4a28 28 0 1 0 0 56a${22 + 8 * r()} ${22 + 8 * r()} 0 0 1 0 -56z"/>`,
  arrow: (r) => `<path d="M4 26h${26 + 6 * r()}v-16l26 22l-26 22v-16h-30z"/>`,
  bolt: (r) => `<polygon points="${34 + 8 * r()},2 12,36 28,36 ${20 + 6 * r()},62 52,26 36,26"/>`,
};

const [kind, folder] = process.argv.slice(2);
if (folder === undefined || !['garments', 'shapes'].includes(kind)) {
  console.error('node bench/dense/scenes.mjs garments|shapes FOLDER');
  process.exit(1);
}
const { names, sourceOf } = kind === 'garments' ? garments() : shapes();
for (const [split, count] of Object.entries(SCENES)) await makeSplit(split, count);

function numbersOf(...key) {
  return numbersFrom(createHash('sha256').update(key.join(' ')).digest().readUInt32BE());
}

function garments() {
  const read = (file) => gunzipSync(readFileSync(path.join('datasets/fashion-mnist', file)));
  const of = Object.fromEntries(
    [
      ['train', 'train'],
      ['test', 't10k'],
    ].map(([split, prefix]) => {
      const images = read(`${prefix}-images-idx3-ubyte.gz`).subarray(16);
      const labels = read(`${prefix}-labels-idx1-ubyte.gz`).subarray(8);
      return [split, { images, byClass: GARMENTS.map((_, c) => [...labels.keys()].filter((i) => labels[i] === c)) }];
    }),
  );
  return {
    names: GARMENTS,
    sourceOf(split, category, random) {
      const { images, byClass } = of[split];
      const own = byClass[category];
      const at = own[Math.floor(own.length * random())] * 784;
      const tint = [0, 1, 2].map(() => 0.3 + 0.7 * random());
      const data = new Uint8Array(784 * 4);
      for (let i = 0; i < 784; i++) {
        const grey = images[at + i];
        for (let c = 0; c < 3; c++) data[4 * i + c] = (60 + 0.76 * grey) * tint[c];
        data[4 * i + 3] = Math.min(255, 6 * grey);
      }
      return { size: 28, data };
    },
  };
}

function shapes() {
  const names = Object.keys(SHAPES);
  return {
    names,
    async sourceOf(_split, category, random) {
      const colour = `hsl(${Math.floor(360 * random())} ${40 + Math.floor(60 * random())}% ${25 + Math.floor(50 * random())}%)`;
      const isOutline = random() < 0.5;
      const style = isOutline
        ? `fill="none" stroke="${colour}" stroke-width="${3 + 4 * random()}"`
        : `fill="${colour}"`;
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><g ${style}>${SHAPES[names[category]](random)}</g></svg>`;
      return { size: 64, data: await sharp(globalThis.Buffer.from(svg)).ensureAlpha().raw().toBuffer() };
    },
  };
}

async function sceneOf(split, number) {
  const random = numbersOf(kind, split, number);
  const scene = {
    size: SIZE,
    pixels: texture(SIZE, random),
    owner: new Uint8Array(SIZE * SIZE),
    isMixed: new Uint8Array(SIZE * SIZE),
  };
  const categories = [];
  const things = 1 + Math.floor(5 * random());
  for (let i = 0; i < things; i++) {
    const category = Math.floor(names.length * random());
    categories.push(category);
    paste(scene, await sourceOf(split, category, random), i + 1, {
      x: SIZE * (0.1 + 0.8 * random()),
      y: SIZE * (0.1 + 0.8 * random()),
      length: 36 * 3 ** random(),
      turn: (random() - 0.5) * (Math.PI / 3),
      isMirrored: random() < 0.5,
      gains: [0, 1, 2].map(() => 0.85 + 0.3 * random()),
    });
  }
  return { ...scene, categories };
}

async function makeSplit(split, count) {
  const out = path.join(folder, split);
  for (const part of ['images', 'masks']) mkdirSync(path.join(out, part), { recursive: true });
  mkdirSync(path.join(folder, 'annotations'), { recursive: true });
  writeFileSync(path.join(out, 'labels.txt'), `${['background', ...names].join('\n')}\n`);
  const coco = { images: [], categories: names.map((name, i) => ({ id: i + 1, name })), annotations: [] };
  for (let id = 1; id <= count; id++) {
    const scene = await sceneOf(split, id);
    const { pixels, owner, isMixed, categories } = scene;
    const mask = owner.map((number, at) => (isMixed[at] ? IGNORED : number === 0 ? 0 : categories[number - 1] + 1));
    const name = String(id).padStart(4, '0');
    const colours = Uint8Array.from(pixels, (value) => Math.max(0, Math.min(255, Math.round(value))));
    const raw = (data, channels) => sharp(data, { raw: { width: SIZE, height: SIZE, channels } });
    await raw(colours, 3)
      .png()
      .toFile(path.join(out, 'images', `${name}.png`));
    await raw(mask, 1)
      .toColourspace('b-w')
      .png()
      .toFile(path.join(out, 'masks', `${name}.png`));
    coco.images.push({ id, file_name: `${name}.png`, width: SIZE, height: SIZE });
    categories.forEach((category, i) => {
      const { seen, box } = visible(scene, i + 1);
      // Hardly any of it can be seen.
      if (seen < 30) return;
      coco.annotations.push({
        id: coco.annotations.length + 1,
        image_id: id,
        category_id: category + 1,
        bbox: box,
        area: seen,
        iscrowd: 0,
      });
    });
  }
  writeFileSync(path.join(folder, 'annotations', `${split}.json`), JSON.stringify(coco));
  console.log(`${split}: ${count} scenes, ${coco.annotations.length} things`);
}
