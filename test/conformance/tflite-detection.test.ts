import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { argMax } from '../../src/base/numbers.ts';
import { runRecipe } from '../../src/run/run.ts';
import { openTflite } from '../../src/runtime/litert.ts';
import { loadData } from '../../src/setup/data.ts';
import { writeMediaPipeFolder } from '../../src/consumers/mediapipe/folder.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { detectionsOf } from '../../src/answers/boxes/detections.ts';
import { suppressed } from '../../src/answers/boxes/suppression.ts';
import { COLOURS, SIDE, writeColouredBoxes } from '../support/coloured-boxes.ts';
import { QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';
import { runPython } from './python.ts';
import { inTasksVision } from './tasks-vision.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);
const FILES = [
  'scratch-detections.tflite',
  'scratch-int8-detections.tflite',
  'scratch-fp16-detections.tflite',
  'folder/model.tflite',
  'folder/model-int8.tflite',
  'folder/model-fp16.tflite',
] as const;
/** True for a file of `limbeck export --mediapipe`, which takes pixels as they are. */
const isOfFolder = (name: string): boolean => name.startsWith('folder/');
const TESTED = 20;
/** Lowest score that is asked for, and the overlap above which MediaPipe suppresses boxes, of whatever class. */
const [LEAST, OVERLAP] = [0.3, 0.3];
/** Label, score, left, top, width and height in pixels. */
type Found = readonly [string, number, number, number, number, number];

it('ObjectDetector of MediaPipe finds the boxes that we find', async () => {
  await writeColouredBoxes(folder(), 'train', 160);
  await writeColouredBoxes(folder(), 'test', TESTED);
  const source = (name: string) => ({ images: name, labels: `${name}.json` });
  const recipe = makeRecipe(
    {
      ...{ name: 'colours', export: ['onnx', 'tflite'], outputs: 'detections', ...QUICK },
      dataset: {
        ...{ type: 'coco', task: 'detection', train: source('train'), test: source('test') },
        ...{ maxBoxes: 4, resize: [SIDE, SIDE], validation: 40 },
      },
      student: { model: 'det-nano', alpha: 0.2, filters: 16 },
      distill: { epochs: 20, batchSize: 16, optimizer: { type: 'adamw', learningRate: 0.01, schedule: 'onecycle' } },
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
  await writeMediaPipeFolder(run, at('folder'));
  for (const name of FILES)
    if (!isOfFolder(name)) await writeFile(at(name), readFileSync(path.join(run, 'exports', name)));
  const manifest = {
    task: 'detect',
    threshold: LEAST,
    files: FILES,
    rows: 'pixels.bin',
    shape: [TESTED, SIDE, SIDE, 3],
  };
  await writeFile(at('manifest.json'), JSON.stringify(manifest));
  const wheel = runPython('mediapipe_tasks.py', folder()) as Record<string, Found[][]>;
  const inBrowser = await inTasksVision<Found[][]>('detect', folder(), FILES, { name: 'pixels.bin', size: SIDE });
  // MediaPipe multiplies pixels by 1 / 255. A quotient differs in its last bit, which an int8 file may round to another step: there the sigmoid of
  // such a net, which has hardly learnt, moves by up to 0.16.
  const pixels = Float32Array.from(test!.samples as Uint8Array);
  const rows = pixels.map((pixel) => pixel * Math.fround(1 / 255));
  for (const name of FILES) {
    const own = await foundIn(readFileSync(at(name)), isOfFolder(name) ? pixels : rows);
    for (const [where, given] of Object.entries({ wheel: wheel[name]!, Chromium: inBrowser?.[name] })) {
      if (given === undefined) continue;
      const figures = compared(own, given);
      expect([name, where, figures.own > 10]).toEqual([name, where, true]);
      expect([name, where, figures.given, figures.same]).toEqual([name, where, figures.own, figures.own]);
      expect([name, where, figures.score < 1e-4]).toEqual([name, where, true]);
    }
  }
});

/** Boxes of each picture by this file and our own suppression, which takes all classes for one as MediaPipe does. */
async function foundIn(bytes: Uint8Array, rows: Float32Array): Promise<Found[][]> {
  const session = await openTflite(bytes);
  const each = rows.length / TESTED;
  const all: Found[][] = [];
  for (let row = 0; row < TESTED; row++) {
    const fed = { [session.inputs[0]!.name]: rows.slice(row * each, (row + 1) * each) };
    const results = await session.run(fed);
    const [location, score] = [results['location'] as Float32Array, results['score'] as Float32Array];
    const points = location.length / 4;
    const labels = Array.from({ length: points }, (_, i) => argMax(score, i * COLOURS.length, COLOURS.length));
    const corners = Float32Array.from({ length: 4 * points }, (_, i) => {
      const [y, x, h, w] = location.subarray(i - (i % 4)) as unknown as [number, number, number, number];
      return [x - w / 2, y - h / 2, x + w / 2, y + h / 2][i % 4]!;
    });
    const best = labels.map((label, i) => score[i * COLOURS.length + label]!);
    const found = detectionsOf(suppressed(corners, best, { minScore: LEAST, iou: OVERLAP }));
    const labelOf = (xmin: number, ymin: number, value: number): string => {
      const point = labels.findIndex((_, i) => corners[4 * i] === xmin && corners[4 * i + 1] === ymin && Math.fround(best[i]!) === value); // prettier-ignore
      return COLOURS[labels[point]!]!;
    };
    all.push(
      found.map(({ score: value, xmin, ymin, xmax, ymax }) => [
        ...([labelOf(xmin, ymin, value), value] as const),
        ...([SIDE * xmin, SIDE * ymin, SIDE * (xmax - xmin), SIDE * (ymax - ymin)] as const),
      ]),
    );
  }
  session.dispose();
  return all;
}

/** Number of boxes of either list that the other has within a pixel, which MediaPipe rounds to, and the largest difference of their scores. */
function compared(own: readonly Found[][], given: readonly Found[][]) {
  let [same, score] = [0, 0];
  own.forEach((boxes, picture) => {
    for (const [label, value, ...sides] of boxes) {
      const other = given[picture]!.find(([name, , ...theirs]) => name === label && theirs.every((side, i) => Math.abs(side - sides[i]!) <= 1)); // prettier-ignore
      if (other === undefined) continue;
      same++;
      score = Math.max(score, Math.abs(other[1] - value));
    }
  });
  return { own: own.flat().length, given: given.flat().length, same, score };
}
