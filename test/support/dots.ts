import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { RandomStream } from '../../src/base/random.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';

const [HEIGHT, WIDTH] = [24, 32];
export const DOTS = ['red', 'green', 'blue'];
export const CHAIN = [
  ['red', 'green'],
  ['green', 'blue'],
];

/** Pixels [height, width, 3] with a dot of each colour at these places, whose radius is an eighth of the height. */
function dotsAt(
  places: readonly (readonly [x: number, y: number])[],
  [height, width]: readonly [number, number],
): Uint8Array {
  return Uint8Array.from({ length: height * width * 3 }, (_, i) => {
    const [x, y] = [(Math.floor(i / 3) % width) + 0.5, Math.floor(i / 3 / width) + 0.5];
    const dot = places.findIndex(([px, py]) => Math.hypot(x - px, y - py) < height / 8);
    return dot === -1 ? 120 : i % 3 === dot ? 250 : 10;
  });
}

/** Noisy pictures of a dot of each colour, each in a third of the width, and their places in `NAME.csv`. */
export async function writeDots(folder: string, name: string, count: number): Promise<void> {
  const random = new RandomStream('dots', name);
  const rows = [['file', ...DOTS.flatMap((dot) => [`${dot}_x`, `${dot}_y`])].join(',')];
  await mkdir(path.join(folder, name));
  for (let i = 0; i < count; i++) {
    const places = DOTS.map((_, k) => {
      const third = WIDTH / 3;
      return [third * k + 3 + random.uniform() * (third - 6), 3 + random.uniform() * (HEIGHT - 6)] as const;
    });
    const pixels = dotsAt(places, [HEIGHT, WIDTH]).map((value) => value - 10 + random.below(20));
    await sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
      .png()
      .toFile(path.join(folder, name, `${i}.png`));
    rows.push([`${name}/${i}.png`, ...places.flat().map((value) => value.toFixed(2))].join(','));
  }
  await writeFile(path.join(folder, `${name}.csv`), `${rows.join('\n')}\n`);
}

/** Side of the input of `pointer`. */
export const POINTER_SIDE = 32;

/** ONNX file that finds the points at the same columns and rows of 64 in every picture, as sure as can be. */
export function pointer(
  places: readonly (readonly [column: number, row: number])[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const b = new GraphBuilder();
  const size = POINTER_SIDE * POINTER_SIDE * 3;
  const bins = 2 * POINTER_SIDE;
  const x = b.input('x', { dtype: 'float32', shape: ['batch', POINTER_SIDE, POINTER_SIDE, 3] });
  const first = b.op('Slice', [b.op('Reshape', [x], { shape: ['batch', size] })], { begin: [0, 0], size: [-1, 1] });
  const nothing = b.op('Multiply', [first, b.constant({ dtype: 'float32', shape: [] }, Float32Array.of(0))]);
  const logits = new Float32Array(places.length * 2 * bins);
  places.flat().forEach((best, row) => (logits[row * bins + best] = 20));
  const answers = b.constant({ dtype: 'float32', shape: [1, logits.length] }, logits);
  b.output('logits', b.op('Add', [nothing, answers]));
  return encodeModel(lowerToOnnx(b.build(), { metadata: new Map(Object.entries(metadata)) }));
}

/** Picture file of one colour. */
export async function plainPicture(file: string, { height, width }: { height: number; width: number }): Promise<void> {
  const background = { r: 120, g: 120, b: 120 };
  await sharp({ create: { width, height, channels: 3, background } })
    .png()
    .toFile(file);
}
