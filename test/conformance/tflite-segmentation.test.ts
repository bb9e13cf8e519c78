import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bytesOf } from '../../src/base/bytes.ts';
import { viewOf } from '../../src/data/batches/batches.ts';
import { runRecipe } from '../../src/run/run.ts';
import { openTflite } from '../../src/runtime/litert.ts';
import { loadData } from '../../src/setup/data.ts';
import { makeRecipe } from '../../src/setup/runnable.ts';
import { QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';
import { SHAPES, shapesArchive, SIZE } from '../support/shapes.ts';
import { runPython } from './python.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);
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
});
