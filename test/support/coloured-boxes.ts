import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { RandomStream } from '../../src/base/random.ts';

export const SIDE = 64;
export const COLOURS = ['red', 'green', 'blue'];

/** Noisy pictures of one to three coloured rectangles that do not overlap, in `NAME/`, and their boxes in COCO's format, `NAME.json`. */
export async function writeColouredBoxes(folder: string, name: string, count: number): Promise<void> {
  const random = new RandomStream('coloured boxes', name);
  const annotations: object[] = [];
  const images = Array.from({ length: count }, (_, id) => ({ id, file_name: `${id}.png`, width: SIDE, height: SIDE }));
  await mkdir(path.join(folder, name));
  for (const { id, file_name: file } of images) {
    const pixels = Uint8Array.from({ length: SIDE * SIDE * 3 }, () => 100 + random.below(56));
    // At most one in each quarter.
    const quarters = random.permutation(4).slice(0, 1 + random.below(3));
    for (const quarter of quarters) {
      const [w, h, label] = [12 + random.below(18), 12 + random.below(18), random.below(3)];
      const half = SIDE / 2;
      const [x, y] = [
        (quarter % 2) * half + random.below(half - w),
        Math.floor(quarter / 2) * half + random.below(half - h),
      ];
      for (let row = y; row < y + h; row++)
        for (let column = x; column < x + w; column++)
          for (let c = 0; c < 3; c++) pixels[(row * SIDE + column) * 3 + c] = c === label ? 230 : 20;
      annotations.push({ image_id: id, category_id: label + 1, bbox: [x, y, w, h], area: w * h, iscrowd: 0 });
    }
    await sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 3 } })
      .png()
      .toFile(path.join(folder, name, file));
  }
  const categories = COLOURS.map((colour, i) => ({ id: i + 1, name: colour }));
  await writeFile(path.join(folder, `${name}.json`), JSON.stringify({ images, annotations, categories }));
}

/** ONNX file of a detector whose only point has a box of half the height and width in the middle of the picture, of the second of two classes. */
export function middleDetector(metadata: Readonly<Record<string, string>>): Uint8Array {
  const b = new GraphBuilder();
  const x = b.input('x', { dtype: 'float32', shape: ['batch', SIDE, SIDE, 3] });
  const nothing = b.op('Multiply', [b.op('Slice', [b.op('Reshape', [x], { shape: ['batch', 1, SIDE * SIDE * 3] })], { begin: [0, 0, 0], size: [-1, 1, 1] }), b.constant({ dtype: 'float32', shape: [] }, Float32Array.of(0))]); // prettier-ignore
  const answer = (name: string, ...values: readonly number[]): void =>
    b.output(name, b.op('Add', [nothing, b.constant({ dtype: 'float32', shape: [1, 1, values.length] }, Float32Array.from(values))])); // prettier-ignore
  answer('boxes', 0.25, 0.25, 0.75, 0.75);
  answer('scores', -3, 2);
  return encodeModel(lowerToOnnx(b.build(), { metadata: new Map(Object.entries(metadata)) }));
}
