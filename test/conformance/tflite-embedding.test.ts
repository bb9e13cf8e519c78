import { cosinesOf } from '../../src/base/math/vectors.ts';
import { readFileSync } from 'node:fs';
import { copyFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { zipSync } from 'fflate';
import { RandomStream } from '../../src/base/random.ts';
import { runRecipe } from '../../src/run/run.ts';
import { loadData } from '../../src/setup/data.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { logitsOfFile } from '../../src/ship/model-file.ts';
import { QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';
import { npyBytes } from '../support/npy.ts';
import { runPython } from './python.ts';
import { inTasksVision } from './tasks-vision.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);
const [SIZE, WIDTH, TESTED] = [24, 12, 40];
const FILES = ['scratch.tflite', 'scratch-int8.tflite', 'scratch-fp16.tflite'] as const;

/** Coloured pictures whose classes are directions of a ramp, with noise. */
function archive(count: number, seed: string): Uint8Array {
  const random = new RandomStream(seed);
  const pixels = new Uint8Array(count * SIZE * SIZE * 3);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 3);
  for (let at = 0; at < pixels.length; at++) {
    const place = Math.floor(at / 3) % (SIZE * SIZE);
    const [y, x] = [Math.floor(place / SIZE) / SIZE, (place % SIZE) / SIZE];
    const ramp = [x, y, Math.hypot(x - 0.5, y - 0.5)][labels[Math.floor(at / (SIZE * SIZE * 3))]!]!;
    pixels[at] = Math.round(120 * ramp + 110 * random.uniform());
  }
  return zipSync({ 'x.npy': npyBytes([count, SIZE, SIZE, 3], pixels), 'y.npy': npyBytes([count], labels) });
}

it('ImageEmbedder of MediaPipe gives pictures the vectors that we give them', async () => {
  await writeFile(at('train.npz'), archive(240, 'train'));
  await writeFile(at('test.npz'), archive(TESTED, 'test'));
  const recipe = makeRecipe(
    {
      ...{ name: 'ramps', export: ['onnx', 'tflite'], ...QUICK },
      dataset: {
        ...{ type: 'npz', task: 'embedding', train: { file: 'train.npz' }, test: { file: 'test.npz' }, validation: 40 },
        dimensions: WIDTH,
      },
      student: { model: 'cnn', filters: [8, 8] },
      distill: { epochs: 3, batchSize: 20, optimizer: { learningRate: 0.01 } },
      quantize: [
        { samples: 64, maxDrop: 100 },
        { scheme: 'fp16', maxDrop: 100 },
      ],
    },
    folder(),
  );
  const { folder: run } = await runRecipe(recipe, { out: folder() });
  const { test } = await loadData(recipe.recipe);
  await writeFile(at('pixels.bin'), test!.samples as Uint8Array);
  for (const name of FILES) await copyFile(path.join(run, 'exports', name), at(name));
  const manifest = { task: 'embed', files: FILES, rows: 'pixels.bin', shape: [TESTED, SIZE, SIZE, 3] };
  await writeFile(at('manifest.json'), JSON.stringify(manifest));
  const inWheel = runPython('mediapipe_tasks.py', folder()) as Record<string, number[][]>;
  const inBrowser = await inTasksVision<number[][]>('embed', folder(), FILES, { name: 'pixels.bin', size: SIZE });
  for (const name of FILES) {
    const file = { file: name, bytes: readFileSync(at(name)), format: 'tflite', precision: 'fp32' } as const;
    const own = await logitsOfFile(file, test!, { session: {} });
    for (const [place, answers] of Object.entries({ wheel: inWheel, Chromium: inBrowser })) {
      if (answers === undefined) continue;
      const cosines = cosinesOf(
        { values: own, width: WIDTH },
        { values: Float32Array.from(answers[name]!.flat()), width: WIDTH },
      );
      const least = Math.min(...cosines);
      expect([place, name, answers[name]!.length, least > 0.9999]).toEqual([place, name, TESTED, true]);
    }
  }
});
