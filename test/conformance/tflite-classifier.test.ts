import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { zipSync } from 'fflate';
import { argMax } from '../../src/base/numbers.ts';
import { RandomStream } from '../../src/base/random.ts';
import { viewOf } from '../../src/data/batches/batches.ts';
import { runRecipe } from '../../src/run/run.ts';
import { openTflite } from '../../src/runtime/litert.ts';
import { loadData } from '../../src/setup/data.ts';
import { makeRecipe } from '../../src/setup/runnable.ts';
import { QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';
import { npyBytes } from '../support/npy.ts';
import { runPython } from './python.ts';
import { inTasksVision } from './tasks-vision.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);
const [SIZE, CLASSES, TESTED] = [24, ['across', 'down', 'round'], 60];
const FILES = [
  'scratch-probabilities.tflite',
  'scratch-int8-probabilities.tflite',
  'scratch-fp16-probabilities.tflite',
] as const;

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

it('ImageClassifier of MediaPipe gives pictures the classes and probabilities that we give them', async () => {
  await writeFile(at('train.npz'), archive(240, 'train'));
  await writeFile(at('test.npz'), archive(TESTED, 'test'));
  const recipe = makeRecipe(
    {
      ...{ name: 'ramps', export: ['onnx', 'tflite'], outputs: 'probabilities', ...QUICK },
      dataset: {
        ...{ type: 'npz', train: { file: 'train.npz' }, test: { file: 'test.npz' }, validation: 40 },
        ...{ classes: CLASSES },
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
  for (const name of FILES) await writeFile(at(name), readFileSync(path.join(run, 'exports', name)));
  const manifest = { task: 'classify', files: FILES, rows: 'pixels.bin', shape: [TESTED, SIZE, SIZE, 3] };
  await writeFile(at('manifest.json'), JSON.stringify(manifest));
  const answers = runPython('mediapipe_tasks.py', folder()) as Record<string, [string, number][]>;
  const inBrowser = await inTasksVision<[string, number][]>('classify', folder(), FILES, {
    name: 'pixels.bin',
    size: SIZE,
  });
  const rows = viewOf(
    test!,
    Int32Array.from({ length: TESTED }, (_, i) => i),
    { seed: 0, view: 0, augment: [] },
  );
  const each = rows.length / TESTED;
  for (const name of FILES) {
    const session = await openTflite(readFileSync(at(name)));
    const own: [string, number][] = [];
    for (let row = 0; row < TESTED; row++) {
      const fed = { [session.inputs[0]!.name]: rows.slice(row * each, (row + 1) * each) };
      const probabilities = (await session.run(fed))['probabilities'] as Float32Array;
      const best = argMax(probabilities, 0, CLASSES.length);
      own.push([CLASSES[best]!, probabilities[best]!]);
    }
    session.dispose();
    const given = answers[name]!;
    const same = given.filter(([label], i) => label === own[i]![0]).length;
    const largest = given.reduce((most, [, score], i) => Math.max(most, Math.abs(score - own[i]![1])), 0);
    console.log(name, 'in MediaPipe:', {
      same,
      of: TESTED,
      largest,
      kinds: new Set(given.map(([label]) => label)).size,
    });
    expect([name, same]).toEqual([name, TESTED]);
    const there = inBrowser?.[name] ?? given;
    expect(there.map(([label]) => label)).toEqual(given.map(([label]) => label));
    const farthest = there.reduce((most, [, score], i) => Math.max(most, Math.abs(score - given[i]![1])), 0);
    if (inBrowser !== undefined) console.log(name, 'in Chromium beside that:', { farthest });
    expect([name, farthest < (name.includes('int8') ? 0.05 : 1e-4)]).toEqual([name, true]);
    expect([name, largest < (name.includes('int8') ? 0.05 : 1e-4)]).toEqual([name, true]);
    expect(new Set(given.map(([label]) => label)).size).toBeGreaterThan(1);
  }
});
