/**
 * Random crops of a folder of photographs, the pictures by which starting weights are learnt without labels (Asano & Saeed 2023, "The augmented image prior:
 * Distilling 1000 classes by extrapolating from a single image").
 *
 *     node bench/starting-weights/crops.mjs PHOTOGRAPHS FOLDER [--count 12000]
 *
 * Each crop covers 0.1 to 60 % of its photograph (uniform in the logarithm), is turned by up to 30 degrees, maybe mirrored, and 160 pixels long. The same
 * version of sharp gives the same files.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { numbersFrom } from '../../scripts/scenes.mjs';

const SIZE = 160;
const [LEAST, MOST] = [0.001, 0.6];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { count: { type: 'string', default: '12000' } },
});
const [from, to] = positionals;
if (to === undefined) {
  console.error('node bench/starting-weights/crops.mjs PHOTOGRAPHS FOLDER [--count 12000]');
  process.exit(1);
}
const files = readdirSync(from)
  .filter((name) => /\.(jpe?g|png|webp)$/i.test(name))
  .sort();
const each = Math.ceil(Number(values.count) / files.length);
mkdirSync(to, { recursive: true });
for (const [photograph, name] of files.entries()) {
  const { data, info } = await sharp(path.join(from, name)).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const whole = () => sharp(data, { raw: { width, height, channels } });
  for (let i = 0; i < each; i++) {
    const random = numbersFrom(photograph * 1_000_003 + i);
    const area = LEAST * (MOST / LEAST) ** random() * width * height;
    const ratio = (3 / 4) * (16 / 9) ** random();
    const w = Math.min(width, Math.max(SIZE / 2, Math.round(Math.sqrt(area * ratio))));
    const h = Math.min(height, Math.max(SIZE / 2, Math.round(Math.sqrt(area / ratio))));
    const left = Math.floor((width - w) * random());
    const top = Math.floor((height - h) * random());
    const turn = 60 * (random() - 0.5);
    const isMirrored = random() < 0.5;
    // A turned square keeps no empty corner if 1 / (cos + sin) of its length is cut out of its middle.
    const inner = Math.floor(1.4 * SIZE);
    const turned = await whole()
      .extract({ left, top, width: w, height: h })
      .resize(inner, inner, { fit: 'fill', kernel: 'cubic' })
      .flop(isMirrored)
      .toBuffer();
    const rotated = await sharp(turned, { raw: { width: inner, height: inner, channels } })
      .rotate(turn)
      .raw()
      .toBuffer({ resolveWithObject: true });
    const start = Math.floor((rotated.info.width - SIZE) / 2);
    await sharp(rotated.data, { raw: { width: rotated.info.width, height: rotated.info.height, channels } })
      .extract({ left: start, top: start, width: SIZE, height: SIZE })
      .jpeg({ quality: 88 })
      .toFile(path.join(to, `${path.parse(name).name}-${String(i).padStart(4, '0')}.jpg`));
  }
  console.log(`${name}: ${each} crops`);
}
