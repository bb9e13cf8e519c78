import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bytesOf } from '../../src/base/bytes.ts';
import { argMax } from '../../src/base/numbers.ts';
import { viewOf } from '../../src/data/batches/batches.ts';
import { runRecipe } from '../../src/run/run.ts';
import { resizedLogits } from '../../src/answers/mask/masks.ts';
import { openTflite } from '../../src/runtime/litert.ts';
import { loadData } from '../../src/setup/data.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';
import { SHAPES, shapesArchive, SIZE } from '../support/shapes.ts';
import { runPython } from './python.ts';
import { inTasksVision } from './tasks-vision.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);
const LOGITS = ['scratch.tflite', 'scratch-int8.tflite', 'scratch-fp16.tflite'] as const;
const FILES = ['scratch-classes.tflite', 'scratch-int8-classes.tflite', 'scratch-fp16-classes.tflite'] as const;
const TESTED = 40;

it.each([
  ['unet', { filters: 8, depth: 3, convolutions: 'full' }, 4],
  ['seg-lraspp', { alpha: 0.35 }, 8],
])('the official interpreter gives each pixel the class that we give it, by %s', async (model, options, stride) => {
  await writeFile(at('train.npz'), shapesArchive(160, 'train'));
  await writeFile(at('test.npz'), shapesArchive(TESTED, 'test'));
  const recipe = makeRecipe(
    {
      ...{ name: 'shapes', export: ['onnx', 'tflite'], outputs: 'classes', ...QUICK },
      dataset: {
        ...{ type: 'npz', task: 'segmentation', train: { file: 'train.npz' }, test: { file: 'test.npz' } },
        ...{ classes: SHAPES, stride, normalize: 'unit', validation: 40 },
      },
      student: { model, ...options },
      distill: { epochs: 6, batchSize: 20, optimizer: { learningRate: 0.02 } },
      quantize: [
        { samples: 32, maxDrop: 100 },
        { scheme: 'fp16', maxDrop: 100 },
      ],
    },
    folder(),
  );
  const { folder: run } = await runRecipe(recipe, { out: folder() });
  const { test } = await loadData(recipe.recipe);
  const rows = viewOf(
    test!,
    Int32Array.from({ length: TESTED }, (_, i) => i),
    { seed: 0, view: 0, augment: [] },
  );
  await writeFile(at('rows.bin'), bytesOf(rows));
  const bytes = FILES.map((name) => readFileSync(path.join(run, 'exports', name)));
  for (const [i, name] of FILES.entries()) await writeFile(at(name), bytes[i]!);
  const manifest = { files: FILES, rows: 'rows.bin', shape: [TESTED, SIZE, SIZE, 3] };
  await writeFile(at('manifest.json'), JSON.stringify(manifest));
  const names = runPython('tflite_rows.py', folder()) as Record<string, [string, string]>;
  for (const [i, name] of FILES.entries()) {
    const [input, output] = names[name]!;
    expect([name, output]).toEqual([name, 'classes']);
    const official = new Float32Array(Uint8Array.from(readFileSync(at(`${name}.out`))).buffer);
    const session = await openTflite(bytes[i]!);
    const each = rows.length / TESTED;
    const own: number[] = [];
    for (let row = 0; row < TESTED; row++) {
      const answer = await session.run({ [input]: rows.slice(row * each, (row + 1) * each) });
      expect(answer['classes']).toBeInstanceOf(Uint8Array);
      own.push(...(answer['classes'] as Uint8Array));
    }
    session.dispose();
    const equal = own.filter((value, pixel) => value === official[pixel]).length / own.length;
    console.log(model, name, { pixels: own.length, equal, classes: new Set(own).size });
    expect([name, own.length, new Set(own).size]).toEqual([name, TESTED * SIZE * SIZE, 3]);
    expect([name, equal]).toEqual([name, 1]);
  }

  // MediaPipe reads labels, normalization and activation from the files with logits.
  const pixels = test!.samples as Uint8Array;
  await writeFile(at('pixels.bin'), pixels);
  for (const name of LOGITS) await writeFile(at(name), readFileSync(path.join(run, 'exports', name)));
  const asked = { files: LOGITS, rows: 'pixels.bin', shape: [TESTED, SIZE, SIZE, 3] };
  await writeFile(at('manifest.json'), JSON.stringify(asked));
  const labels = runPython('mediapipe_tasks.py', folder());
  expect(labels).toEqual(Object.fromEntries(LOGITS.map((name) => [name, SHAPES])));
  interface Segmented {
    readonly labels: readonly string[];
    readonly confidences: readonly number[];
  }
  const inBrowser = await inTasksVision<Segmented>('segment', folder(), LOGITS, { name: 'pixels.bin', size: SIZE });
  for (const [i, name] of LOGITS.entries()) {
    const given = readFileSync(at(`${name}.masks`));
    const confidences = new Float32Array(Uint8Array.from(readFileSync(at(`${name}.confidences`))).buffer);
    const official = new Float32Array(Uint8Array.from(readFileSync(at(`${FILES[i]!}.out`))).buffer);
    const share = (same: (pixel: number) => boolean): number => [...given.keys()].filter(same).length / given.length;
    const byConfidence = (pixel: number): number => argMax(confidences, pixel * SHAPES.length, SHAPES.length);
    if (inBrowser !== undefined) {
      const there = inBrowser[name]!;
      const farthest = there.confidences.reduce(
        (most, value, k) => Math.max(most, Math.abs(value - confidences[k]!)),
        0,
      );
      console.log(model, name, 'in Chromium beside the wheel:', { farthest });
      expect([there.labels, there.confidences.length]).toEqual([SHAPES, confidences.length]);
      expect([name, farthest < (name.includes('int8') ? 0.1 : 1e-4)]).toEqual([name, true]);
    }
    const figures = {
      categories: share((pixel) => given[pixel] === official[pixel]),
      confidences: share((pixel) => byConfidence(pixel) === official[pixel]),
    };
    console.log(model, name, 'in MediaPipe, pixels as here', figures);
    const side = SIZE / stride;
    const logits = await logitsOf(path.join(run, 'exports', name), rows);
    // Its categories are of logits that are resized so that the corners of the grid lie on those of the picture.
    const aligned = (pixel: number): number => {
      const [y, x] = [Math.floor(pixel / SIZE) % SIZE, pixel % SIZE].map((at) => (at * (side - 1)) / (SIZE - 1)) as [number, number]; // prettier-ignore
      const from = Math.floor(pixel / SIZE / SIZE) * side * side;
      const on = (row: number, c: number): number => {
        const [left, right] = [Math.floor(x), Math.min(side - 1, Math.floor(x) + 1)].map((column) => logits[(from + row * side + column) * SHAPES.length + c]!); // prettier-ignore
        return left! + (right! - left!) * (x - Math.floor(x));
      };
      const values = SHAPES.map((_, c) => {
        const [above, below] = [on(Math.floor(y), c), on(Math.min(side - 1, Math.floor(y) + 1), c)];
        return above + (below - above) * (y - Math.floor(y));
      });
      return argMax(values, 0, values.length);
    };
    const asAligned = share((pixel) => given[pixel] === aligned(pixel));
    expect([name, asAligned > 0.999]).toEqual([name, true]);
    // Its confidences are the probabilities of the cells, resized as here.
    const cells = softmaxOf(logits);
    const expected = resizedLogits(cells, [side, side, SHAPES.length], [SIZE, SIZE]);
    const largest = confidences.reduce((most, value, k) => Math.max(most, Math.abs(value - expected[k]!)), 0);
    expect([name, largest < (name.includes('int8') ? 0.05 : 1e-3)]).toEqual([name, true]);
    // Probabilities that are resized have other maxima than logits that are, the more so the less sure a student is: from 96.7 % to 99 % agree.
    expect([name, figures.confidences > 0.95]).toEqual([name, true]);
  }
});

/** Logits of the cells of all rows. */
async function logitsOf(file: string, rows: Float32Array): Promise<Float32Array> {
  const session = await openTflite(readFileSync(file));
  const each = rows.length / TESTED;
  const out: number[] = [];
  for (let row = 0; row < TESTED; row++) {
    const fed = { [session.inputs[0]!.name]: rows.slice(row * each, (row + 1) * each) };
    out.push(...((await session.run(fed))['logits'] as Float32Array));
  }
  session.dispose();
  return Float32Array.from(out);
}

function softmaxOf(logits: Float32Array): Float32Array {
  const out = logits.map(Math.exp);
  for (let at = 0; at < out.length; at += SHAPES.length) {
    const sum = SHAPES.reduce((total, _, c) => total + out[at + c]!, 0);
    SHAPES.forEach((_, c) => (out[at + c]! /= sum));
  }
  return out;
}
