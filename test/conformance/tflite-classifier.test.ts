import { readFileSync } from 'node:fs';
import { cp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { zipSync } from 'fflate';
import { argMax } from '../../src/base/numbers.ts';
import { RandomStream } from '../../src/base/random.ts';
import { runRecipe } from '../../src/run/run.ts';
import { loadData } from '../../src/setup/data.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { softmaxRows } from '../../src/ship/answer-ending.ts';
import { writeMediaPipeFolder } from '../../src/consumers/mediapipe/folder.ts';
import { logitsOfFile } from '../../src/ship/model-file.ts';
import { QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';
import { npyBytes } from '../support/npy.ts';
import { runPython } from './python.ts';
import { inTasksVision } from './tasks-vision.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);
const [SIZE, CLASSES, TESTED] = [24, ['across', 'down', 'round'], 60];
const PRECISIONS = ['fp32', 'int8', 'fp16'] as const;

/** Coloured pictures whose classes are directions of a ramp, with noise. */
function pictures(count: number, seed: string): [pixels: Uint8Array, labels: Uint8Array] {
  const random = new RandomStream(seed);
  const pixels = new Uint8Array(count * SIZE * SIZE * 3);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 3);
  for (let at = 0; at < pixels.length; at++) {
    const place = Math.floor(at / 3) % (SIZE * SIZE);
    const [y, x] = [Math.floor(place / SIZE) / SIZE, (place % SIZE) / SIZE];
    const ramp = [x, y, Math.hypot(x - 0.5, y - 0.5)][labels[Math.floor(at / (SIZE * SIZE * 3))]!]!;
    pixels[at] = Math.round(120 * ramp + 110 * random.uniform());
  }
  return [pixels, labels];
}

/** The same pictures in grey: the luma of ITU-R 601-2 in integers, as Pillow has it. */
function inGrey(pixels: Uint8Array): Uint8Array {
  const weights = [19595, 38470, 7471];
  const luma = (i: number): number => weights.reduce((sum, weight, c) => sum + weight * pixels[3 * i + c]!, 0x8000);
  return Uint8Array.from({ length: pixels.length / 3 }, (_, i) => luma(i) >> 16);
}

/** A run on pictures of one channel or three, with three precisions. */
async function trained(
  channels: 1 | 3,
  more: Partial<Record<'normalize' | 'dataset' | 'student' | 'recipe', object>> = {},
) {
  const { normalize, dataset, student, recipe: rest } = more;
  for (const [split, count] of [['train', 240], ['test', TESTED]] as const) {
    const [pixels, labels] = pictures(count, split);
    const own = npyBytes([count, SIZE, SIZE, channels], channels === 3 ? pixels : inGrey(pixels));
    // The mask of a picture is its class everywhere.
    const isMask = dataset !== undefined && 'stride' in dataset;
    const targets = isMask ? npyBytes([count, SIZE, SIZE], Uint8Array.from({ length: count * SIZE * SIZE }, (_, i) => labels[Math.floor(i / (SIZE * SIZE))]!)) : npyBytes([count], labels);
    await writeFile(at(`${split}.npz`), zipSync({ 'x.npy': own, 'y.npy': targets }));
    if (split === 'test') await writeFile(at('pixels.bin'), pixels);
  } // prettier-ignore
  const recipe = makeRecipe(
    {
      ...{ name: 'ramps', export: ['onnx', 'tflite'], ...rest, ...QUICK },
      dataset: {
        ...{ type: 'npz', train: { file: 'train.npz' }, test: { file: 'test.npz' }, validation: 40 },
        ...(dataset ?? { classes: CLASSES }),
        ...(normalize && { normalize }),
      },
      student: student ?? { model: 'cnn', filters: [8, 8] },
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
  return { run, test: test! };
}

/** Expects the classes of the files with logits of a run from `files`, in its order of precisions, in the wheel and in Chromium. */
async function expectSameClasses(what: string, { run, test }: Awaited<ReturnType<typeof trained>>, files: readonly string[]): Promise<void> {
  const manifest = { task: 'classify', files, rows: 'pixels.bin', shape: [TESTED, SIZE, SIZE, 3] };
  await writeFile(at('manifest.json'), JSON.stringify(manifest));
  const inWheel = runPython('mediapipe_tasks.py', folder()) as Record<string, [string, number][]>;
  const shown = { name: 'pixels.bin', size: SIZE };
  const inBrowser = await inTasksVision<[string, number][]>('classify', folder(), files, shown);
  for (const [i, precision] of PRECISIONS.entries()) {
    const file = `scratch${precision === 'fp32' ? '' : `-${precision}`}.tflite`;
    const bytes = readFileSync(path.join(run, 'exports', file));
    const logits = await logitsOfFile({ file, bytes, format: 'tflite', precision }, test, { session: {} });
    const expected = Array.from({ length: TESTED }, (_, row): [string, number] => {
      const own = softmaxRows(logits.subarray(row * CLASSES.length, (row + 1) * CLASSES.length), CLASSES.length);
      const best = argMax(own, 0, CLASSES.length);
      return [CLASSES[best]!, own[best]!];
    });
    for (const [place, answers] of Object.entries({ wheel: inWheel, Chromium: inBrowser })) {
      if (answers === undefined) continue;
      const given = answers[files[i]!]!;
      const same = given.filter(([label], row) => label === expected[row]![0]).length;
      const largest = given.reduce((most, [, score], row) => Math.max(most, Math.abs(score - expected[row]![1])), 0);
      const kinds = new Set(given.map(([label]) => label)).size;
      console.log(what, files[i], place, { same, of: TESTED, largest, kinds });
      expect([files[i], place, same]).toEqual([files[i], place, TESTED]);
      expect([files[i], place, largest < (precision === 'int8' ? 0.05 : 1e-4)]).toEqual([files[i], place, true]);
      expect(kinds).toBeGreaterThan(1);
    }
  }
} // prettier-ignore

it.each([
  ['as the run exports them', {}],
  ['with the bytes of pictures as inputs', { tflite: { ends: 'uint8' } }],
])('ImageClassifier of MediaPipe gives pictures the classes and probabilities that we give them: %s', async (what, more) => {
  const made = await trained(3, { recipe: { outputs: 'probabilities', ...more }, normalize: { mean: 0.4, std: 0.25 } });
  const files = PRECISIONS.map((precision) => `scratch${precision === 'fp32' ? '' : `-${precision}`}-probabilities.tflite`);
  for (const name of files) await cp(path.join(made.run, 'exports', name), at(name));
  await expectSameClasses(what, made, files);
}); // prettier-ignore

it.each([
  ['grey', 1, undefined],
  ['a mean for each channel', 3, { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }],
] as const)('ImageClassifier opens the files of --mediapipe: %s', async (what, channels, normalize) => {
  const made = await trained(channels, normalize && { normalize });
  const written = await writeMediaPipeFolder(made.run, at('folder'));
  expect([written.task, written.skipped]).toEqual(['ImageClassifier', []]);
  await cp(at('folder'), folder(), { recursive: true });
  await expectSameClasses(what, made, ['model.tflite', 'model-int8.tflite', 'model-fp16.tflite']);
});

it.each([
  ['embed', { dataset: { task: 'embedding', dimensions: 16 } }],
  ['segment', { dataset: { task: 'segmentation', classes: CLASSES, stride: 1 }, student: { model: 'unet', filters: 4, depth: 2 } }],
])('ImageEmbedder and ImageSegmenter open the files of grey models: %s', async (task, more) => {
    const { run, test } = await trained(1, more);
    await writeMediaPipeFolder(run, at(task));
    await cp(at(task), folder(), { recursive: true });
    const files = ['model.tflite', 'model-int8.tflite', 'model-fp16.tflite'];
    const manifest = { task, files, rows: 'pixels.bin', shape: [TESTED, SIZE, SIZE, 3] };
    await writeFile(at('manifest.json'), JSON.stringify(manifest));
    const answers = runPython('mediapipe_tasks.py', folder()) as Record<string, number[][]>;
    for (const [i, name] of files.entries()) {
      const precision = PRECISIONS[i]!;
      const file = `scratch${precision === 'fp32' ? '' : `-${precision}`}.tflite`;
      const bytes = readFileSync(path.join(run, 'exports', file));
      const own = await logitsOfFile({ file, bytes, format: 'tflite', precision }, test, { session: {} });
      const expected = task === 'embed' ? own : softmaxRows(own, CLASSES.length);
      const confidences = (): Float32Array => new Float32Array(Uint8Array.from(readFileSync(at(`${name}.confidences`))).buffer);
      const given = task === 'embed' ? Float32Array.from(answers[name]!.flat()) : confidences();
      const largest = given.reduce((most, value, k) => Math.max(most, Math.abs(value - expected[k]!)), 0);
      console.log(task, name, { numbers: given.length, largest });
      expect([name, given.length, largest < (precision === 'int8' ? 0.05 : 1e-4)]).toEqual([name, expected.length, true]);
      if (task === 'segment') expect(answers[name]).toEqual(CLASSES);
    }
}); // prettier-ignore
