import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { QUICK } from '../../support/digits.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { inProcess } from '../../support/in-process.ts';
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
    stderr: expect.stringContaining('--transformers and --mediapipe cannot stand beside each other') as string,
  });
  const written = await ask();
  expect(written).toMatchObject({ code: 0, stdout: expect.stringContaining('texts: 4 files for TextClassifier, begin with README.md\n') as string });
  expect(written.stdout).toMatch(/makes the tokens that the model was trained with of (\d+) of \1 held-out texts \(100.00 %\)/);
  const readme = await readFile(path.join(folder(), 'texts/README.md'), 'utf8');
  expect(readme).toContain("TextClassifier.create_from_model_path('model.tflite')");
  expect(readme).toMatch(/\| `model-int8\.tflite` +\| [\d.]+ kB/);
}); // prettier-ignore
