import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { runRecipe } from '../../src/pipeline/run.ts';
import { makeRecipe } from '../../src/pipeline/runnable.ts';
import { ROOT } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

const BASE = {
  name: 'r',
  dataset: {
    type: 'csv',
    train: path.join(ROOT, 'datasets/digits/train.csv'),
    test: path.join(ROOT, 'datasets/digits/test.csv'),
    label: 'digit',
    shape: [8, 8, 1],
    normalize: { mean: 0, std: 16 },
  },
  student: { model: 'mlp', hidden: [16] },
  distill: { epochs: 8, batchSize: 64 },
  export: ['onnx', 'tflite'],
  report: { latency: { seconds: 0 } },
};

const follow = (change: object) => runRecipe(makeRecipe({ ...BASE, ...change }, folder()), { out: folder() });
const filesIn = async (name: string) => (await readdir(path.join(folder(), name, 'exports'))).sort();

it('exports both formats in fp32 and int8, each run beside the training graph, the same bytes every time', async () => {
  const quantize = { calibrator: 'mse', samples: 64, maxDrop: 5 };
  const names = ['scratch-int8.onnx', 'scratch-int8.tflite', 'scratch.onnx', 'scratch.tflite'];
  const { report } = await follow({ quantize });
  expect(await filesIn('r')).toEqual(names);
  expect(report.models.map(({ id, format, precision }) => [id, format, precision])).toEqual([
    ['scratch', 'onnx', 'fp32'],
    ['scratch-tflite', 'tflite', 'fp32'],
    ['scratch-int8', 'onnx', 'int8'],
    ['scratch-int8-tflite', 'tflite', 'int8'],
  ]);
  expect(report.parity.map(({ file }) => path.basename(file)).sort()).toEqual(names);
  for (const { accuracy } of report.models) {
    expect(Math.abs(accuracy.test! - report.models[0]!.accuracy.test!)).toBeLessThan(0.05);
  }
  const bytes = () => Promise.all(names.map((name) => readFile(path.join(folder(), 'r/exports', name), 'base64')));
  const first = await bytes();
  await runRecipe(makeRecipe({ ...BASE, quantize }, folder()), { out: folder(), existing: 'fresh' });
  expect(await bytes()).toEqual(first);
}, 300_000);
