/**
 * Makes `datasets/emoji-scenes` again: pictures of one to six emoji on textures, the class of each pixel, and a box of each emoji.
 * `node scripts/emoji-scenes.mjs [--from FOLDER] [--to FOLDER] [--font google]`. FOLDER: the npm package emoji-datasource-FONT 16.0.0, unpacked;
 * without it, npm fetches the package (google: 74 MB) into a temporary folder. The same version of sharp gives the same files.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { numbersFrom, paste, texture, visible } from './scenes.mjs';

const root = path.resolve(import.meta.dirname, '..');
/** Classes behind the background: which categories of emoji they are made of, and which emoji of those are none. */
const CLASSES = {
  face: {
    of: /^Smileys & Emotion\/face-(?!costume)/,
    but: /^(skull|skull_and_crossbones|imp|smiling_imp|face_in_clouds|dotted_line_face)$/,
  },
  person: { of: /^People & Body\/person(-role)?$/ },
  animal: {
    of: /^Animals & Nature\/animal-/,
    but: /^(feet|pig_nose|feather|wing|spider|spider_web|microbe|shell|coral)$/,
  },
  plant: { of: /^Animals & Nature\/plant-/, but: /^(empty_nest|nest_with_eggs)$/ },
  fruit: { of: /^Food & Drink\/food-(fruit|vegetable)$/ },
  food: { of: /^Food & Drink\/food-(prepared|asian|sweet)$/ },
  vehicle: {
    of: /^Travel & Places\/transport-(ground|water|air)$/,
    but: /^(seat|station|busstop|.*traffic_light|construction|rotating_light|octagonal_sign|wheel|oil_drum|motorway|railway_track|fuelpump|roller_skate|anchor|ring_buoy|parachute|satellite)$/,
  },
  building: { of: /^Travel & Places\/place-(building|religious)$/, but: /^(building_construction|bricks|rock|wood)$/ },
};
const NAMES = ['background', ...Object.keys(CLASSES)];
const SCENES = { train: 1000, test: 200 };
/** Side of a scene, and of the smallest and the largest emoji, in pixels. */
const [SIZE, SHORTEST, LONGEST] = [160, 24, 144];
/** Share of the designs of each class that only scenes of test show, and share of the emoji there that have such a design. */
const [UNSEEN, UNSEEN_IN_TEST] = [0.2, 0.5];
/** Least share of the pixels of an emoji that others leave visible. */
const LEAST_VISIBLE = 0.35;
/** Value of a pixel that is half an emoji and half what lies behind it. */
const IGNORED = 255;

const text = { type: 'string' };
const { values } = parseArgs({ options: { from: text, to: text, font: { ...text, default: 'google' } } });
const PACKAGE = `emoji-datasource-${values.font}@16.0.0`;
const out = path.resolve(values.to ?? path.join(root, 'datasets/emoji-scenes'));
const temporary = mkdtempSync(path.join(tmpdir(), 'emoji-'));
try {
  await make(values.from ?? fetched(temporary));
} finally {
  rmSync(temporary, { recursive: true });
}

function fetched(folder) {
  const shell = process.platform === 'win32';
  const [file] = execFileSync('npm', ['pack', '--silent', PACKAGE], { cwd: folder, encoding: 'utf8', shell }).split(
    '\n',
  );
  execFileSync('tar', ['xzf', file], { cwd: folder });
  return path.join(folder, 'package');
}

function hash(...key) {
  return createHash('sha256').update(key.join(' ')).digest();
}

/** Emoji of each class. Those that differ in skin or sex alone are one design, and a design is in train or unseen there. */
async function emojiOf(from) {
  const all = JSON.parse(readFileSync(path.join(from, 'emoji.json'), 'utf8'));
  const emoji = [];
  for (const { category, subcategory, short_name: name, unified, image, [`has_img_${values.font}`]: isDrawn } of all) {
    const kind = Object.values(CLASSES).findIndex(
      ({ of, but }) => of.test(`${category}/${subcategory}`) && !but?.test(name),
    );
    if (kind === -1 || !isDrawn) continue;
    const design = unified.replace(/^(1F468|1F469|1F9D1)-200D-|-200D-264[02]-FE0F$/g, '');
    const { data, info } = await sharp(path.join(from, 'img', values.font, '64', image))
      .ensureAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    emoji.push({
      ...{ category: kind + 1, name, design, source: { size: info.width, data } },
      isUnseen: hash('unseen', design).readUInt32BE() / 2 ** 32 < UNSEEN,
    });
  }
  return emoji;
}

function pick(list, random) {
  return list[Math.floor(list.length * random())];
}

/** A scene [SIZE, SIZE] and its emoji, of which each is visible in part at least. */
function sceneOf(split, number, emoji) {
  for (let attempt = 0; ; attempt++) {
    const random = numbersFrom(hash(split, number, attempt).readUInt32BE());
    const scene = {
      ...{ size: SIZE, pixels: texture(SIZE, random) },
      ...{ owner: new Uint8Array(SIZE * SIZE), isMixed: new Uint8Array(SIZE * SIZE) },
    };
    const pasted = Array.from({ length: 1 + Math.floor(6 * random()) }, (_, i) => {
      const category = 1 + Math.floor((NAMES.length - 1) * random());
      const isUnseen = split === 'test' && random() < UNSEEN_IN_TEST;
      const one = pick(
        emoji.filter((other) => other.category === category && other.isUnseen === isUnseen),
        random,
      );
      const area = paste(scene, one.source, i + 1, {
        ...{ x: SIZE * (0.05 + 0.9 * random()), y: SIZE * (0.05 + 0.9 * random()) },
        length: SHORTEST * (LONGEST / SHORTEST) ** random(),
        turn: (random() - 0.5) * (Math.PI / 4.5),
        isMirrored: random() < 0.5,
        gains: Array.from({ length: 3 }, () => 0.85 + 0.3 * random()),
      });
      return { ...one, area };
    }).map((one, i) => ({ ...one, ...visible(scene, i + 1) }));
    if (pasted.every(({ area, seen }) => seen > 40 && seen >= LEAST_VISIBLE * area)) return { ...scene, pasted };
  }
}

async function make(from) {
  const emoji = await emojiOf(from);
  rmSync(path.join(out, 'annotations'), { recursive: true, force: true });
  mkdirSync(path.join(out, 'annotations'), { recursive: true });
  copyFileSync(path.join(from, 'LICENSE'), path.join(out, 'LICENSE-emoji-datasource'));
  for (const [i, name] of NAMES.entries()) {
    const own = emoji.filter(({ category }) => category === i);
    if (i > 0)
      console.log(`${name}: ${own.length} emoji, ${own.filter(({ isUnseen }) => isUnseen).length} in test alone`);
  }
  for (const [split, count] of Object.entries(SCENES)) await makeSplit(split, count, emoji);
}

async function makeSplit(split, count, emoji) {
  const folder = path.join(out, split);
  rmSync(folder, { recursive: true, force: true });
  for (const name of ['images', 'masks']) mkdirSync(path.join(folder, name), { recursive: true });
  writeFileSync(path.join(folder, 'labels.txt'), `${NAMES.join('\n')}\n`);
  const coco = {
    images: [],
    categories: NAMES.slice(1).map((name, i) => ({ id: i + 1, name })),
    annotations: [],
  };
  const sums = createHash('sha256');
  const pixels = NAMES.map(() => 0);
  let [bytes, ignored, unseen] = [0, 0, 0];
  for (let id = 1; id <= count; id++) {
    const scene = sceneOf(split, id, emoji);
    const classOf = [0, ...scene.pasted.map(({ category }) => category)];
    const mask = scene.owner.map((number, at) => (scene.isMixed[at] ? IGNORED : classOf[number]));
    for (const value of mask) if (value === IGNORED) ignored++; else pixels[value]++; // prettier-ignore
    const name = String(id).padStart(4, '0');
    const colours = Uint8Array.from(scene.pixels, (value) => Math.max(0, Math.min(255, Math.round(value))));
    const raw = (data, channels) => sharp(data, { raw: { width: SIZE, height: SIZE, channels } });
    const picture = await raw(colours, 3).jpeg({ quality: 80, mozjpeg: true }).toBuffer();
    const grey = await raw(mask, 1).toColourspace('b-w').png({ compressionLevel: 9 }).toBuffer();
    writeFileSync(path.join(folder, 'images', `${name}.jpg`), picture);
    writeFileSync(path.join(folder, 'masks', `${name}.png`), grey);
    sums.update(picture).update(grey);
    bytes += picture.length + grey.length;
    coco.images.push({ id, file_name: `${name}.jpg`, width: SIZE, height: SIZE });
    for (const { category, seen, box, isUnseen } of scene.pasted) {
      if (isUnseen) unseen++;
      coco.annotations.push({
        ...{ id: coco.annotations.length + 1, image_id: id, category_id: category },
        ...{ bbox: box, area: seen, iscrowd: 0 },
      });
    }
  }
  const json = `${JSON.stringify(coco)}\n`;
  writeFileSync(path.join(out, 'annotations', `${split}.json`), json);
  const all = pixels.reduce((sum, each) => sum + each, ignored);
  const shares = NAMES.map((name, i) => `${name} ${((100 * pixels[i]) / all).toFixed(1)} %`).join(', ');
  console.log(
    `${split}: ${count} scenes, ${coco.annotations.length} emoji, ${unseen} of designs that train lacks, ${bytes + json.length} bytes`,
    `\n  pixels: ${shares}, without a class ${((100 * ignored) / all).toFixed(1)} %`,
    `\n  SHA-256 of pictures and masks, one after another: ${sums.digest('hex')}`,
  );
}
