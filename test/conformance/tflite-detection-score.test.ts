import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CONVERT_DEFAULTS } from '../../src/ship/convert/options.ts';
import { convertFile } from '../../src/ship/convert.ts';
import { loadData } from '../../src/setup/data.ts';
import { loadRunnable } from '../../src/setup/runnable.ts';
import { evaluateFile } from '../../src/tools/evaluate.ts';
import { ROOT } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';
import { runPython } from './python.ts';

const RECIPE = path.join(ROOT, 'recipes/emoji-detection.yaml');
const DETECTOR = path.join(ROOT, 'checkpoints/emoji-detection-teacher/teacher.onnx');
const TRUTH = path.join(ROOT, 'datasets/emoji-scenes/annotations/test.json');
const PICTURES = 30;
const FILES = [
  ['onnx', 'fp32'],
  ['onnx', 'fp16'],
  ['onnx', 'int8'],
  ['tflite', 'fp32'],
  ['tflite', 'fp16'],
  ['tflite', 'int8'],
  ['tflite', 'int16x8'],
] as const;

const folder = temporaryFolder();

it('mAP of every file of a detector is what pycocotools counts of its answers in ONNX Runtime and LiteRT', async () => {
  const all = JSON.parse(readFileSync(TRUTH, 'utf8')) as {
    images: { id: number }[];
    annotations: { image_id: number }[];
  };
  const images = all.images.slice(0, PICTURES);
  const annotations = all.annotations.filter((one) => images.some(({ id }) => id === one.image_id));
  const truth = path.join(folder(), 'truth.json');
  await writeFile(truth, JSON.stringify({ ...all, images, annotations }));
  const loaded = await loadRunnable(RECIPE, [`dataset.test.labels=${truth}`]);
  const { test } = await loadData(loaded.recipe);
  await writeFile(path.join(folder(), 'pixels.bin'), test!.samples as Uint8Array);
  const own: Record<string, number> = {};
  for (const [format, precision] of FILES) {
    const name = `${precision}.${format}`;
    const out = path.join(folder(), name);
    await convertFile({ ...CONVERT_DEFAULTS, samples: 32, format, precision, from: DETECTOR, data: RECIPE, out });
    own[name] = (await evaluateFile(out, loaded, 'test')).score!.value;
  }
  const files = Object.keys(own);
  const shape = [test!.count, ...test!.sampleShape];
  await writeFile(path.join(folder(), 'manifest.json'), JSON.stringify({ truth, rows: 'pixels.bin', shape, files }));
  const theirs = runPython('detection_files.py', folder()) as Record<string, number>;
  console.log(
    files.map((name) => `${name}: ${own[name]!.toFixed(5)} here, ${theirs[name]!.toFixed(5)} there`).join('\n'),
  );
  expect(theirs['fp32.onnx']).toBeGreaterThan(0.2);
  for (const name of files) expect([name, Math.abs(own[name]! - theirs[name]!) < 0.001]).toEqual([name, true]);
}, 1_800_000);
