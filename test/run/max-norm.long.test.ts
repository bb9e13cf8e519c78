import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { readSafetensors } from '../../src/formats/safetensors.ts';
import { runRecipe } from '../../src/run/run.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';
import { writeData } from '../support/tiny.ts';

const folder = temporaryFolder();

/** Largest norm of what comes into a unit, by the state name of the weight, after a training with these keys. */
async function normsAfter(name: string, optimizer: object, change: object = {}): Promise<Record<string, number>> {
  const recipe = {
    ...{ name, dataset: { type: 'csv', train: 'data.csv', testFraction: 0.2 }, student: { model: 'mlp', hidden: [4] } },
    ...{ distill: { epochs: 2, batchSize: 16, optimizer: { learningRate: 0.2, ...optimizer } }, ...QUICK, ...change },
  };
  await runRecipe(makeRecipe(recipe, folder()), { out: folder() });
  const states = path.join(folder(), name, 'state');
  const file = (await readdir(states)).sort().at(-1)!;
  const { tensors } = readSafetensors(await readFile(path.join(states, file)), file);
  const kernels = [...tensors].filter(([key]) => /^best\/.*kernel$/.test(key));
  return Object.fromEntries(
    kernels.map(([key, { shape, data }]) => {
      const units = shape[1]!;
      const sums = new Float64Array(units);
      (data as Float32Array).forEach((value, i) => (sums[i % units]! += value * value));
      return [key.slice('best/'.length), Math.sqrt(Math.max(...sums))];
    }),
  );
}

it('a recipe with maxNorm trains weights within it, in one piece and in shards', async () => {
  useLazyBackend(evaluator);
  await writeData(folder());
  const free = await normsAfter('free', {});
  expect(Object.keys(free)).toEqual(['dense1/kernel', 'logits/kernel']);
  expect(Math.min(...Object.values(free))).toBeGreaterThan(0.6);
  for (const [name, change] of [
    ['whole', {}],
    ['shards', { shards: 2 }],
  ] as const)
    for (const norm of Object.values(await normsAfter(name, { maxNorm: 0.5 }, change)))
      expect(norm).toBeCloseTo(0.5, 5);
});
