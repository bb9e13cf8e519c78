import { spawnSync } from 'node:child_process';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { evaluateFile } from '../../../../src/tools/evaluate.ts';
import { writeKit } from '../../../../src/ship/kit/kit.ts';
import { runRecipe } from '../../../../src/run/run.ts';
import { makeRecipe } from '../../../../src/setup/make-recipe.ts';
import { ROOT } from '../../../support/built.ts';
import { QUICK } from '../../../support/digits.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { sentences } from '../../../support/sentences.ts';

const folder = temporaryFolder();
const LENGTH = 6;

it('a model of token ids is trained, exported in both formats, evaluated and packed into a kit', async () => {
  const file = path.join(folder(), 'tokens.csv');
  await writeFile(file, sentences(600, LENGTH, 10));
  const recipe = makeRecipe(
    {
      name: 'tokens',
      dataset: { type: 'csv', train: file, testFraction: 0.2, label: 'label', normalize: { mean: 0, std: 1 } },
      student: { model: 'text-transformer', vocabulary: 10, depth: 1, size: 8, heads: 2 },
      distill: { epochs: 6, batchSize: 32, optimizer: { learningRate: 0.01 } },
      quantize: [
        { scheme: 'fp16', maxDrop: 5 },
        { scheme: 'dynamic-int8', maxDrop: 5 },
        { samples: 64, maxDrop: 100 },
      ],
      export: ['onnx', 'tflite'],
      ...QUICK,
    },
    folder(),
  );
  const { folder: run, report } = await runRecipe(recipe, { out: folder() });
  const precisions = ['fp32', 'fp16', 'dynamic-int8', 'int8'];
  expect(report.models.map(({ format, precision }) => `${format} ${precision}`).sort()).toEqual(
    precisions.flatMap((precision) => [`onnx ${precision}`, `tflite ${precision}`]).sort(),
  );
  for (const { score } of report.models) expect(score.test).toBeGreaterThan(0.9);
  const { accuracy } = await evaluateFile(path.join(run, 'exports/scratch.onnx'), recipe, 'test');
  expect(accuracy).toBe(report.models[0]!.score.test);

  const kit = path.join(folder(), 'kit');
  expect((await writeKit(run, kit)).skipped).toEqual([]);
  const said = JSON.parse(await readFile(path.join(kit, 'preprocessing.json'), 'utf8')) as { models: object[] };
  expect(said).toMatchObject({ input: { shape: [1, LENGTH] } });
  for (const { inputs } of said.models as { inputs: unknown }[])
    expect(inputs).toEqual([{ name: 'input', dtype: 'float32', shape: [1, LENGTH], from: 0 }]);
  const at = path.join(kit, 'samples/node');
  await symlink(path.join(ROOT, 'node_modules'), path.join(at, 'node_modules'));
  const { status, stderr } = spawnSync(process.execPath, ['classify.mjs'], { cwd: at, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
}, 300_000);
