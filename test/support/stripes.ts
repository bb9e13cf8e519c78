import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';

export const SIDE = 24;

/** A folder of pictures of 48×48 whose brightness changes slowly: much alike at any size. */
export async function smoothPictures(folder: string, count = 10): Promise<string> {
  for (const [k, name] of ['high', 'low'].entries()) {
    await mkdir(path.join(folder, name), { recursive: true });
    for (let i = 0; i < count; i++) {
      const [top, left] = [((7 * i + 3) % 30) + 8, k === 0 ? 14 : 34];
      const pixels = Uint8Array.from({ length: 48 * 48 }, (_, p) => {
        const [y, x] = [Math.floor(p / 48) - top, (p % 48) - left];
        return 30 + 220 * Math.exp(-(x * x + 0.4 * y * y) / 120);
      });
      const image = sharp(pixels, { raw: { width: 48, height: 48, channels: 1 } });
      await image
        .toColourspace('b-w')
        .png()
        .toFile(path.join(folder, name, `${i}.png`));
    }
  }
  return folder;
}

/**
 * A folder of grey pictures whose rows or columns alternate pixel by pixel between dark and bright: what is gone when they are made
 * smaller by two. A quarter is brighter than the rest, which is seen at any size.
 */
export async function stripedPictures(folder: string, count = 20): Promise<string> {
  for (const [k, name] of ['columns', 'rows'].entries()) {
    await mkdir(path.join(folder, name), { recursive: true });
    for (let i = 0; i < count; i++) {
      const pixels = Uint8Array.from({ length: SIDE * SIDE }, (_, p) => {
        const [y, x] = [Math.floor(p / SIDE), p % SIDE];
        const stripe = (k === 0 ? x : y) % 2 === 0 ? 40 : 140;
        return stripe + (y < SIDE / 2 && x < SIDE / 2 ? 60 + i : 0);
      });
      const image = sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 1 } });
      await image
        .toColourspace('b-w')
        .png()
        .toFile(path.join(folder, name, `${String(i).padStart(3, '0')}.png`));
    }
  }
  return folder;
}

/** An ONNX file that tells such pictures apart at their own size, in `channels` channels, first. */
export function stripesTeacher(channels = 3, { embeds = false } = {}): Uint8Array {
  const b = new GraphBuilder();
  const size = channels * SIDE * SIDE;
  const x = b.input('pixels', { dtype: 'float32', shape: ['batch', channels, SIDE, SIDE] });
  const kernel = new Float32Array(size * 2);
  for (let p = 0; p < size; p++) {
    const [y, column] = [Math.floor((p % (SIDE * SIDE)) / SIDE), p % SIDE];
    kernel[2 * p] = column % 2 === 0 ? -0.02 : 0.02;
    kernel[2 * p + 1] = y % 2 === 0 ? -0.02 : 0.02;
  }
  const flat = b.op('Reshape', [x], { shape: ['batch', size] });
  const w = b.constant({ dtype: 'float32', shape: [size, 2] }, kernel);
  const y = b.op('BatchMatMul', [flat, w], { transposeA: false, transposeB: false });
  // Turned by a quarter, as an embedding has no axes of classes.
  const turn = b.constant({ dtype: 'float32', shape: [2, 2] }, Float32Array.of(0.6, 0.8, -0.8, 0.6));
  b.output(embeds ? 'embedding' : 'logits', embeds ? b.op('BatchMatMul', [y, turn], { transposeA: false, transposeB: false }) : y); // prettier-ignore
  return encodeModel(lowerToOnnx(b.build()));
}
