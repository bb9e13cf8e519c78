import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runRecipe } from '../../src/run/run.ts';
import { loadRunnable } from '../../src/setup/runnable.ts';
import { ROOT } from '../support/built.ts';
import { runPython } from './python.ts';

/** All that a user writes; the teacher's layout, its inputs and outputs, and that it gives logits, are found out. */
const recipe = (teacher: string): string => `dataset:
  type: csv
  train: train.csv
  test: test.csv
  label: digit
  shape: [8, 8, 1]
  normalize: { mean: 0, std: 16 }
teacher: { onnx: ${teacher} }
student: { model: ds-cnn }
distill: { epochs: 4 }
report: { latency: { seconds: 0 } }
`;

let folder = '';
let accuracy = 0;
let files: string[] = [];

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  for (const name of ['train.csv', 'test.csv'])
    cpSync(path.join(ROOT, 'datasets/digits', name), path.join(folder, name));
  ({ accuracy, files } = runPython('teacher_write.py', folder) as { accuracy: number; files: string[] });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('PyTorch has written a teacher that knows the digits', () => {
  expect(accuracy).toBeGreaterThan(0.95);
  expect(files).toEqual(expect.arrayContaining(['dynamic.onnx', 'teacher.onnx']));
});

it.each(['teacher.onnx', 'dynamic.onnx'])(
  '%s, NCHW with batch norm, distils by a recipe of under 15 lines',
  async (name) => {
    const text = recipe(name);
    expect(text.trimEnd().split('\n').length).toBeLessThan(15);
    const file = path.join(folder, `${path.parse(name).name}.yaml`);
    writeFileSync(file, text);
    const { report } = await runRecipe(await loadRunnable(file), { out: path.join(folder, 'runs') });
    const [teacher, scratch, distilled] = report.models;
    expect([teacher!.id, scratch!.id, distilled!.id]).toEqual(['teacher', 'scratch', 'distilled']);
    // Seen by us as PyTorch sees it: the samples that it was trained on are what validation is drawn from.
    expect(Math.abs(teacher!.score.validation! - accuracy)).toBeLessThan(0.03);
    expect(distilled!.score.test!).toBeGreaterThan(0.8);
  },
);
