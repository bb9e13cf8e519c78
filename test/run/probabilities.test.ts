import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { decodeModel } from '../../src/formats/onnx/protobuf.ts';
import { readTflite } from '../../src/formats/tflite/read.ts';
import { endsOfFile } from '../../src/runtime/litert.ts';
import { evaluateFile } from '../../src/tools/evaluate.ts';
import { reportHtml } from '../../src/report/html/page.ts';
import { reportMarkdown } from '../../src/report/render/markdown.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { DIGITS, QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

it('writes files that answer with the probabilities of classes beside those with logits', async () => {
  const recipe = {
    ...{ name: 'digits', dataset: DIGITS, student: { model: 'mlp', hidden: [16] }, outputs: 'probabilities', ...QUICK },
    ...{ distill: { epochs: 2 }, export: ['onnx', 'tflite'], quantize: [{ samples: 64, maxDrop: 100 }] },
  };
  const loaded = makeRecipe(recipe, folder());
  const { report, folder: run } = await runRecipe(loaded, { out: folder() });
  const made = report.models.flatMap(({ answerFile }) => answerFile ?? []);
  expect(made.map(({ file, outputs, agreement }) => [path.basename(file), outputs, agreement])).toEqual([
    ['scratch-probabilities.onnx', 'probabilities', 1],
    ['scratch-probabilities.tflite', 'probabilities', 1],
    ['scratch-int8-probabilities.onnx', 'probabilities', 1],
    ['scratch-int8-probabilities.tflite', 'probabilities', 1],
  ]);
  const onnx = path.join(run, made[0]!.file);
  const { graph, metadata } = decodeModel(readFileSync(onnx), onnx);
  expect(graph.outputs[0]).toMatchObject({ name: 'probabilities', dims: ['batch', 10] });
  expect(metadata.get('output')).toBe('probabilities');
  const tflite = readFileSync(path.join(run, made[3]!.file));
  expect(endsOfFile(tflite).outputs).toMatchObject([{ name: 'probabilities', dtype: 'float32' }]);
  expect(readTflite(tflite).description).toContain('Outputs are probabilities.');
  for (const [i, { file }] of made.entries()) {
    const { accuracy } = await evaluateFile(path.join(run, file), loaded, 'test');
    expect([file, accuracy]).toEqual([file, report.models.filter(({ answerFile }) => answerFile)[i]!.score.test]);
  }
  for (const text of [reportHtml(report), reportMarkdown(report)]) expect(text).toContain('scratch-int8-probabilities.tflite'); // prettier-ignore
});

it('gives the probability of each label of several', async () => {
  const rows = Array.from({ length: 120 }, (_, i) => [i % 7, i % 5, (i % 7) + (i % 5), Number(i % 7 > 3), Number(i % 5 > 2)].join()); // prettier-ignore
  await writeFile(path.join(folder(), 'data.csv'), `a,b,c,warm,wet\n${rows.join('\n')}\n`);
  const recipe = {
    ...{ name: 'weather', student: { model: 'mlp', hidden: [8] }, outputs: 'probabilities', ...QUICK },
    dataset: { type: 'csv', task: 'multi-label', train: 'data.csv', label: ['warm', 'wet'], validation: 30 },
    ...{ distill: { epochs: 2 }, export: ['onnx', 'tflite'] },
  };
  const loaded = makeRecipe(recipe, folder());
  const { report, folder: run } = await runRecipe(loaded, { out: folder() });
  expect(report.models.flatMap(({ answerFile }) => answerFile?.agreement ?? [])).toEqual([1, 1]);
  for (const name of ['scratch-probabilities.onnx', 'scratch-probabilities.tflite'])
    await expect(evaluateFile(path.join(run, 'exports', name), loaded, 'validation')).rejects.toThrow(
      'answers with probabilities, which would be read as logits',
    );
});
