import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import type { DatasetConfig } from '../../src/data/config.ts';
import { loadDataset } from '../../src/data/load.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { logitsOfFile } from '../../src/ship/model-file.ts';
import { writePipelineFolder } from '../../src/consumers/transformers/folder.ts';
import { detectionRow, detectionsOf } from '../../src/answers/boxes/detections.ts';
import { COLOURS, SIDE, writeColouredBoxes } from '../support/coloured-boxes.ts';
import { QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';
import { inPipelines, inPipelinesOfChromium } from './pipelines.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);
const POINTS = 64 + 16 + 4;
const THRESHOLD = 0.05;

interface Found {
  readonly score: number;
  readonly label: string;
  /** Shares of the picture. */
  readonly box: Readonly<Record<'xmin' | 'ymin' | 'xmax' | 'ymax', number>>;
}

/** Upper parts of pictures of test: beside them a model sees grey. Boxes are not asked for. */
async function writeWide(height: number): Promise<void> {
  const { images, categories } = JSON.parse(await readFile(at('test.json'), 'utf8')) as { images: { file_name: string }[]; categories: object[] }; // prettier-ignore
  await mkdir(at('wide'));
  for (const { file_name: file } of images)
    await sharp(at(`test/${file}`))
      .extract({ left: 0, top: 0, width: SIDE, height })
      .toFile(at(`wide/${file}`));
  const wide = images.map((image) => ({ ...image, height }));
  await writeFile(at('wide.json'), JSON.stringify({ images: wide, categories, annotations: [] }));
}

it('pipeline() of transformers.js finds the boxes that evaluate finds, beside grey too', async () => {
  await writeColouredBoxes(folder(), 'train', 160);
  await writeColouredBoxes(folder(), 'test', 20);
  await writeWide(41);
  const source = (name: string) => ({ images: name, labels: `${name}.json` });
  const dataset = { type: 'coco', task: 'detection', train: source('train'), test: source('test'), maxBoxes: 4, resize: [SIDE, SIDE] }; // prettier-ignore
  const student = { model: 'det-nano', alpha: 0.1, filters: 16 };
  const distill = { epochs: 12, batchSize: 16, optimizer: { learningRate: 0.01 } };
  const made = makeRecipe({ name: 'boxes', dataset, student, distill, ...QUICK, baseline: false, quantize: [{ scheme: 'int8', maxDrop: 100 }], export: ['onnx'] }, folder()); // prettier-ignore
  const { folder: run } = await runRecipe(made, { out: folder() });
  const { pipeline, files } = await writePipelineFolder(run, at('pipeline'));
  expect(pipeline).toBe('object-detection');
  const forms = [
    ['fp32', 'scratch.onnx', 1e-4],
    ['q8', 'scratch-int8.onnx', 1e-4],
    ['fp16', 'scratch.onnx', 0.02],
  ] as const;
  expect(files).toEqual(expect.arrayContaining(['onnx/model.onnx', 'onnx/model_quantized.onnx', 'onnx/model_fp16.onnx', 'preprocessor_config.json'])); // prettier-ignore
  for (const name of ['test', 'wide']) {
    const { images } = JSON.parse(await readFile(at(`${name}.json`), 'utf8')) as { images: { file_name: string; height: number }[] }; // prettier-ignore
    const inputs = images.map(({ file_name: file }) => at(`${name}/${file}`));
    const asked = forms.map(([dtype]) => ({ pipeline, folder: at('pipeline'), dtype, inputs, threshold: THRESHOLD }));
    const answers = await inPipelines<Found[]>(asked);
    const there = await inPipelinesOfChromium<Found[]>(asked);
    for (const [i, [dtype, , tolerance]] of there === undefined ? [] : forms.entries()) {
      const pairs = answers[i]!.map((found, row) => [found, there![i]![row]!] as const);
      const alike = pairs.filter(([here, other]) => String(here.map(({ label }) => label)) === String(other.map(({ label }) => label))); // prettier-ignore
      const apart = alike.flatMap(([here, other]) =>
        here.flatMap(({ score, box }, k) => [
          Math.abs(score - other[k]!.score),
          ...(['xmin', 'ymin', 'xmax', 'ymax'] as const).map((side) => Math.abs(box[side] - other[k]!.box[side])),
        ]),
      );
      console.log(`${name} ${dtype} in Chromium: the boxes of Node in ${alike.length} of ${pairs.length} pictures, at most ${Math.max(...apart)} apart`); // prettier-ignore
      if (dtype !== 'fp16') expect([dtype, alike.length, Math.max(...apart) < tolerance]).toEqual([dtype, pairs.length, true]); // prettier-ignore
    }
    const data = (await loadDataset({ ...made.recipe.dataset, test: { images: at(name), labels: at(`${name}.json`) } } as DatasetConfig)).test!; // prettier-ignore
    for (const [i, [dtype, fileName, tolerance]] of forms.entries()) {
      const file = path.join(run, 'exports', fileName);
      const own = await logitsOfFile({ file, bytes: readFileSync(file), format: 'onnx', precision: 'fp32' }, data, { session: {} }); // prettier-ignore
      const width = own.length / data.count;
      const distances: number[] = [];
      for (const [row, id] of data.ids.entries()) {
        const { height } = images[id]!;
        const top = (SIDE - height) >> 1;
        const within = (value: number): number => Math.min(1, Math.max(0, value));
        const share = (value: number): number => within((value * SIDE - top) / height);
        const expected = detectionsOf(detectionRow(own.subarray(row * width, (row + 1) * width), POINTS), THRESHOLD);
        const found = answers[i]![id]!;
        const [labels, wanted] = [found.map(({ label }) => label), expected.map(({ label }) => COLOURS[label])];
        // Of two boxes with nearly the same score, rounded scores may put another one first.
        if (dtype === 'fp16' && String(labels) !== String(wanted)) continue;
        expect([dtype, id, labels]).toEqual([dtype, id, wanted]);
        for (const [k, { score, xmin, ymin, xmax, ymax }] of expected.entries()) {
          const { box, score: given } = found[k]!;
          const off = [
            given - score,
            box.xmin - within(xmin),
            box.xmax - within(xmax),
            box.ymin - share(ymin),
            box.ymax - share(ymax),
          ];
          distances.push(Math.max(...off.map(Math.abs)));
        }
      }
      const near = distances.filter((distance) => distance < tolerance).length;
      console.log(`${name} ${dtype}: ${distances.length} boxes, ${near} less than ${tolerance} apart, at most ${Math.max(...distances)}`); // prettier-ignore
      expect(distances.length).toBeGreaterThan(40);
      // Of boxes that lie over each other, rounded scores may choose another one.
      expect(near / distances.length).toBeGreaterThanOrEqual(dtype === 'fp16' ? 0.9 : 1);
    }
  }
});
