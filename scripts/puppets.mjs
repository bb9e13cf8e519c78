/**
 * Makes `datasets/puppets` again: jointed figures over parts of the scenes of datasets/emoji-scenes, with the places of eleven points.
 * `node scripts/puppets.mjs [--to FOLDER]`. The same version of sharp gives the same files.
 */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { numbersFrom } from './scenes.mjs';

const root = path.resolve(import.meta.dirname, '..');
const { values } = parseArgs({ options: { to: { type: 'string' } } });
const out = path.resolve(values.to ?? path.join(root, 'datasets/puppets'));
const PUPPETS = { train: 2000, test: 400 };
/** Side of a picture, and of a scene of emoji, in pixels. */
const [SIZE, SCENE] = [64, 160];
const POINTS = [
  ...['head', 'neck', 'pelvis', 'left elbow', 'right elbow', 'left hand', 'right hand'],
  ...['left knee', 'right knee', 'left foot', 'right foot'],
];

function hash(...key) {
  return createHash('sha256').update(key.join(' ')).digest();
}

function colour(random) {
  const [hue, saturation, lightness] = [360 * random(), 20 + 70 * random(), 20 + 60 * random()];
  return `hsl(${hue.toFixed(0)},${saturation.toFixed(0)}%,${lightness.toFixed(0)}%)`;
}

/** The end of a limb of this length, at an angle from straight down (radians). */
function behind([x, y], length, angle) {
  return [x + length * Math.sin(angle), y + length * Math.cos(angle)];
}

/** Places of the points of a puppet around (0, 0), one unit tall, seen from the front: its left is at the right. */
function posed(random) {
  const between = (low, high) => low + (high - low) * random();
  const lean = between(-0.25, 0.25);
  const pelvis = [0, 0];
  const neck = behind(pelvis, -between(0.28, 0.36), lean);
  const head = behind(neck, -between(0.12, 0.17), lean + between(-0.3, 0.3));
  const [upperArm, lowerArm, thigh, shin] = [between(0.16, 0.22), between(0.15, 0.22), between(0.2, 0.27), between(0.2, 0.27)]; // prettier-ignore
  const arm = (side) => {
    const raised = side * between(0.1, 2.2);
    const elbow = behind([neck[0] + side * 0.07, neck[1] + 0.04], upperArm, raised);
    return [elbow, behind(elbow, lowerArm, raised + side * between(-0.3, 1.6))];
  };
  const leg = (side) => {
    const spread = side * between(0, 0.9);
    const knee = behind([side * 0.05, 0], thigh, spread);
    return [knee, behind(knee, shin, spread - side * between(-0.1, 0.9))];
  };
  const [[leftElbow, leftHand], [rightElbow, rightHand]] = [arm(1), arm(-1)];
  const [[leftKnee, leftFoot], [rightKnee, rightFoot]] = [leg(1), leg(-1)];
  return [head, neck, pelvis, leftElbow, rightElbow, leftHand, rightHand, leftKnee, rightKnee, leftFoot, rightFoot];
}

function line([x1, y1], [x2, y2], width, fill) {
  return `<line x1="${x1.toFixed(2)}" y1="${y1.toFixed(2)}" x2="${x2.toFixed(2)}" y2="${y2.toFixed(2)}" stroke="${fill}" stroke-width="${width.toFixed(2)}" stroke-linecap="round"/>`;
}

/** Shapes of a puppet with these places, in the order in which they are drawn. */
function shapesOf(places, unit, random) {
  const [head, neck, pelvis, leftElbow, rightElbow, leftHand, rightHand, leftKnee, rightKnee, leftFoot, rightFoot] = places; // prettier-ignore
  const thick = unit * (0.05 + 0.06 * random());
  const [skin, shirt, trousers, sleeve] = [colour(random), colour(random), colour(random), colour(random)];
  const dark = random() < 0.5 ? '#111' : '#eee';
  const outlined = (...args) => `${line(args[0], args[1], args[2] + 0.9, dark)}${line(...args)}`;
  const shoulder = (elbow) => [neck[0] + 0.25 * (elbow[0] - neck[0]), neck[1] + 0.25 * (elbow[1] - neck[1])];
  const limbs = [
    ...[[leftKnee, leftFoot], [rightKnee, rightFoot]].map(([knee, foot]) => outlined(pelvis, knee, thick * 1.15, trousers) + outlined(knee, foot, thick, random() < 0.5 ? trousers : skin)), // prettier-ignore
    outlined(neck, pelvis, thick * (1.6 + random()), shirt),
    ...[[leftElbow, leftHand], [rightElbow, rightHand]].map(([elbow, hand]) => outlined(shoulder(elbow), elbow, thick, sleeve) + outlined(elbow, hand, thick * 0.85, skin)), // prettier-ignore
  ];
  const radius = unit * (0.075 + 0.03 * random());
  const [hx, hy] = head.map((value) => value.toFixed(2));
  const face = `<circle cx="${hx}" cy="${hy}" r="${radius.toFixed(2)}" fill="${skin}" stroke="${dark}" stroke-width="0.5"/>`;
  // Arms lie behind or before the trunk.
  const order = random() < 0.5 ? limbs : [limbs[3], limbs[4], limbs[0], limbs[1], limbs[2]];
  return `${order.join('')}${face}`;
}

/** A picture as a whole of shapes, and its points. */
function drawn(split, number) {
  for (let attempt = 0; ; attempt++) {
    const random = numbersFrom(hash('puppet', split, number, attempt).readUInt32BE());
    const unit = SIZE * (0.7 + 0.35 * random());
    const turn = (random() - 0.5) * 0.7;
    const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
    const centre = [SIZE * (0.38 + 0.24 * random()), SIZE * (0.42 + 0.2 * random())];
    const places = posed(random).map(([x, y]) => [
      centre[0] + unit * (x * cos - y * sin),
      centre[1] + unit * (x * sin + y * cos),
    ]);
    const isInside = places.map(([x, y]) => x >= 0 && y >= 0 && x <= SIZE && y <= SIZE);
    if (isInside.filter(Boolean).length < 8) continue;
    const place = () => [SIZE * random(), SIZE * random()];
    // Lone limbs behind the puppet are no part of it.
    const clutter = Array.from({ length: Math.floor(5 * random()) }, () => {
      const from = place();
      return line(from, behind(from, 6 + 16 * random(), 6.28 * random()), 2 + 4 * random(), colour(random));
    });
    const covers = Array.from({ length: Math.floor(3 * random()) }, () => {
      const [[x, y], width, height] = [place(), 6 + 10 * random(), 6 + 10 * random()];
      return { x, y, width, height, fill: colour(random) };
    });
    const isCovered = ([px, py]) =>
      covers.some(({ x, y, width, height }) => px >= x && px <= x + width && py >= y && py <= y + height);
    const shapes = [
      ...clutter,
      shapesOf(places, unit, random),
      ...covers.map(({ x, y, width, height, fill }) => `<rect x="${x.toFixed(2)}" y="${y.toFixed(2)}" width="${width.toFixed(2)}" height="${height.toFixed(2)}" rx="2" fill="${fill}"/>`), // prettier-ignore
    ];
    const points = places.map((one, k) => ({ place: one, visibility: !isInside[k] ? 0 : isCovered(one) ? 1 : 2 }));
    return { svg: `<svg xmlns="http://www.w3.org/2000/svg" width="${SIZE}" height="${SIZE}">${shapes.join('')}</svg>`, points, random }; // prettier-ignore
  }
}

/** A square part of a scene of emoji of the same split, in another brightness. */
async function background(split, random) {
  const folder = path.join(root, 'datasets/emoji-scenes', split, 'images');
  const names = readdirSync(folder).sort();
  const side = Math.floor(48 + (SCENE - 48) * random());
  const [left, top] = [Math.floor((SCENE - side) * random()), Math.floor((SCENE - side) * random())];
  return sharp(path.join(folder, names[Math.floor(names.length * random())]))
    .extract({ left, top, width: side, height: side })
    .resize(SIZE, SIZE)
    .modulate({ brightness: 0.6 + 0.6 * random(), saturation: 0.4 + 0.8 * random() })
    .toBuffer();
}

async function makeSplit(split, count) {
  const folder = path.join(out, split);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const head = POINTS.flatMap((name) => ['x', 'y', 'v'].map((axis) => `${name}_${axis}`));
  const rows = [['file', ...head].join(',')];
  const sums = createHash('sha256');
  const seen = [0, 0, 0];
  let bytes = 0;
  for (let number = 1; number <= count; number++) {
    const { svg, points, random } = drawn(split, number);
    const picture = await sharp(await background(split, random))
      .composite([{ input: Buffer.from(svg) }])
      .jpeg({ quality: 85, mozjpeg: true })
      .toBuffer();
    const name = `${String(number).padStart(4, '0')}.jpg`;
    writeFileSync(path.join(folder, name), picture);
    sums.update(picture);
    bytes += picture.length;
    for (const { visibility } of points) seen[visibility]++;
    const cells = points.flatMap(({ place, visibility }) =>
      visibility === 0 ? ['', '', '0'] : [...place.map((value) => value.toFixed(2)), String(visibility)],
    );
    rows.push([`${split}/${name}`, ...cells].join(','));
  }
  const csv = `${rows.join('\n')}\n`;
  writeFileSync(path.join(out, `${split}.csv`), csv);
  sums.update(csv);
  console.log(
    `${split}: ${count} puppets, ${seen[2]} points visible, ${seen[1]} hidden, ${seen[0]} absent, ${bytes + csv.length} bytes`,
    `\n  SHA-256 of the pictures, one after another, then of the CSV file: ${sums.digest('hex')}`,
  );
}

for (const [split, count] of Object.entries(PUPPETS)) await makeSplit(split, count);
