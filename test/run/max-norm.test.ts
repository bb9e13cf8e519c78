import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { readSafetensors } from '../../src/formats/safetensors.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { DIGITS, QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();
const LIMIT = 0.4;

it('optimizer.maxNorm of a recipe limits what comes into each unit of what it trains', async () => {
  const recipe = {
    name: 'r',
    dataset: { ...DIGITS, limit: 100 },
    student: { model: 'mlp', hidden: [8] },
    distill: { epochs: 2, batchSize: 50, optimizer: { learningRate: 0.1, maxNorm: LIMIT } },
    ...QUICK,
  };
  await runRecipe(makeRecipe(recipe, folder()), { out: folder() });
  const states = path.join(folder(), 'r/state');
  const name = (await readdir(states)).sort().at(-1)!;
  const { tensors } = readSafetensors(await readFile(path.join(states, name)), name);
  const norms = [...tensors].flatMap(([key, { shape, data }]) => {
    if (!key.startsWith('best/') || shape.length !== 2) return [];
    const units = shape[1]!;
    return Array.from({ length: units }, (_, unit) =>
      Math.sqrt((data as Float32Array).reduce((sum, value, i) => sum + (i % units === unit ? value * value : 0), 0)),
    );
  });
  expect(norms).toHaveLength(8 + 10);
  expect(Math.max(...norms)).toBeLessThan(LIMIT + 1e-5);
  expect(norms.filter((norm) => norm > LIMIT - 1e-5).length).toBeGreaterThan(8);
});
