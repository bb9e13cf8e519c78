import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { zipSync } from 'fflate';
import { associatedFiles } from '../../../src/formats/tflite/metadata/archive.ts';
import { readTflite } from '../../../src/formats/tflite/read.ts';
import { QUICK } from '../../support/digits.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { inProcess } from '../../support/in-process.ts';
import { npyBytes } from '../../support/npy.ts';
import { writeQuestions } from '../../support/questions.ts';

const folder = temporaryFolder();

it('a folder for MediaPipe is written from a run that exported ONNX alone, and says what its tokenizer does', async () => {
  await writeQuestions(folder());
  const recipe = {
    ...{ name: 'questions', student: { model: 'embedding-bag', size: 8 }, export: ['onnx'], ...QUICK },
    dataset: { type: 'csv', train: 'train.csv', label: 'category', text: { column: 'text', tokenizer: 'tokenizer.json', length: 20 } },
    distill: { epochs: 1, batchSize: 32 },
  };
  await writeFile(path.join(folder(), 'recipe.yaml'), JSON.stringify(recipe));
  const { code, stderr } = await inProcess(folder(), 'run', 'recipe.yaml', '--quiet');
  expect([code, stderr]).toEqual([0, '']);
  const ask = (...more: string[]) => inProcess(folder(), 'export', 'questions', '--mediapipe', 'texts', ...more);
  expect(await ask('--transformers', 'other')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/--transformers.* cannot stand beside each other/) as string,
  });
  const written = await ask();
  expect(written).toMatchObject({ code: 0, stdout: expect.stringContaining('texts: 4 files for TextClassifier, begin with README.md\n') as string });
  expect(written.stdout).toMatch(/makes the tokens that the model was trained with of (\d+) of \1 held-out texts \(100.00 %\)/);
  const readme = await readFile(path.join(folder(), 'texts/README.md'), 'utf8');
  expect(readme).toContain("TextClassifier.create_from_model_path('model.tflite')");
  expect(readme).toMatch(/\| `model-int8\.tflite` +\| [\d.]+ kB/);
}); // prettier-ignore

const pixels = (count: number, shape: readonly number[]): Uint8Array =>
  npyBytes([count, ...shape], Uint8Array.from({ length: count * shape.reduce((a, b) => a * b, 1) }, (_, i) => (i * 7919) % 251)); // prettier-ignore

it.each([
  ['classification', { classes: ['even', 'odd'] }, 'ImageClassifier', ['labels.txt'], 'probabilities'],
  ['embedding', { task: 'embedding', dimensions: 8 }, 'ImageEmbedder', [], 'logits'],
])(
  'grey pictures: a folder for a model of %s, whose int8 and float16 files are made of the float32 file',
  async (name, answers, task, packed, output) => {
    for (const [split, count] of [['train', 96], ['test', 24]] as const) {
      const labels = npyBytes([count], Uint8Array.from({ length: count }, (_, i) => i % 2));
      await writeFile(path.join(folder(), `${split}.npz`), zipSync({ 'x.npy': pixels(count, [12, 12, 1]), 'y.npy': labels }));
    }
    const recipe = {
      ...{ name, student: { model: 'cnn', filters: [8] }, export: ['onnx'], ...QUICK },
      dataset: { type: 'npz', train: { file: 'train.npz' }, test: { file: 'test.npz' }, validation: 24, ...answers },
      distill: { epochs: 1, batchSize: 24 },
    };
    await writeFile(path.join(folder(), 'recipe.yaml'), JSON.stringify(recipe));
    expect(await inProcess(folder(), 'run', 'recipe.yaml', '--quiet')).toMatchObject({ code: 0, stderr: '' });
    const written = await inProcess(folder(), 'export', name, '--mediapipe', 'pictures');
    expect(written).toMatchObject({ code: 0, stdout: expect.stringContaining(`pictures: 4 files for ${task}, begin`) as string });
    for (const file of ['model.tflite', 'model-int8.tflite', 'model-fp16.tflite']) {
      const bytes = await readFile(path.join(folder(), 'pictures', file));
      const { tensors, inputs, outputs } = readTflite(bytes).subgraphs[0]!;
      expect([tensors[inputs[0]!]!.shape, tensors[outputs[0]!]!.name]).toEqual([[1, 12, 12, 3], output]);
      expect(Object.keys(associatedFiles(bytes))).toEqual(packed);
    }
    const readme = await readFile(path.join(folder(), 'pictures/README.md'), 'utf8');
    expect(readme).toContain(`mp.tasks.vision.${task}.create_from_model_path('model.tflite')`);
    expect(readme).toContain('resizes pictures that are not 12x12 itself');
  },
); // prettier-ignore

it('a table is refused: MediaPipe has no task for it', async () => {
  await writeFile(path.join(folder(), 'train.csv'), `a,b,kind\n${Array.from({ length: 60 }, (_, i) => `${i},${i % 7},${i % 2 ? 'odd' : 'even'}\n`).join('')}`);
  const recipe = {
    ...{ name: 'table', student: { model: 'mlp', hidden: [4] }, export: ['onnx'], ...QUICK },
    dataset: { type: 'csv', train: 'train.csv', label: 'kind' },
    distill: { epochs: 1, batchSize: 20 },
  };
  await writeFile(path.join(folder(), 'recipe.yaml'), JSON.stringify(recipe));
  expect(await inProcess(folder(), 'run', 'recipe.yaml', '--quiet')).toMatchObject({ code: 0 });
  expect(await inProcess(folder(), 'export', 'table', '--mediapipe', 'out')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('expected a model of texts or pictures, received samples of shape [2]') as string,
  });
}); // prettier-ignore
