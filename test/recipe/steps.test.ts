import { readdirSync } from 'node:fs';
import path from 'node:path';
import { completeRecipe, loadRecipe } from '../../src/recipe/load.ts';
import { epochsOf, stepsNotes, withEpochs } from '../../src/recipe/steps.ts';
import { ROOT } from '../support/built.ts';

const dataset = { type: 'csv', train: 'x.csv' };
const made = (change: object) =>
  completeRecipe({ name: 'r', dataset, student: { model: 'mlp' }, ...change }, '/').recipe;

it.each([
  ['many samples', 50_000, 10],
  ['some samples', 3000, 84],
  ['samples that 200 epochs show in fewer steps', 445, 200],
  ['fewer samples than a batch has', 20, 200],
])('trainings without epochs have as many as 2000 steps take: %s', (_, samples, epochs) => {
  const recipe = made({ teacher: { train: { model: 'mlp' }, chain: [{ model: 'mlp' }] } });
  const { distill, teacher } = withEpochs(recipe, samples);
  expect([distill.epochs, teacher!.train!.epochs, teacher!.chain![0]!.epochs]).toEqual([epochs, epochs, epochs]);
  expect(withEpochs(withEpochs(recipe, samples), samples)).toEqual(withEpochs(recipe, samples));
  const notes = stepsNotes(withEpochs(recipe, samples), samples);
  expect(notes).toHaveLength(epochs === 10 ? 0 : 3);
  if (samples === 3000)
    expect(notes[2]).toBe(
      'distill: 84 epochs (2016 steps of up to 128 samples) for at least 2000 steps or 200 epochs; set distill.epochs for another length',
    );
});

it.each([
  ['epochs that are stated', { distill: { epochs: 10 } }],
  ['a student from a file', { student: { onnx: 'x.onnx' } }],
  ['a search', { target: { sizeKb: 40 }, teacher: { onnx: 'x.onnx' } }],
])('%s are as they were', (_, change) => {
  const recipe = made(change);
  expect(withEpochs(recipe, 445).distill).toEqual({ ...recipe.distill, epochs: 10 });
  expect(stepsNotes(withEpochs(recipe, 445), 445)).toEqual([]);
});

it('fewer steps, or none of their own, can be asked for', () => {
  expect(epochsOf({ epochs: 10, minSteps: 100, batchSize: 32 }, 320)).toBe(10);
  expect(epochsOf({ epochs: 10, minSteps: 101, batchSize: 32 }, 320)).toBe(11);
  expect(withEpochs(made({ distill: { minSteps: 0 } }), 445).distill.epochs).toBe(10);
});

it('every recipe of the repository states its epochs', async () => {
  const folder = path.join(ROOT, 'recipes');
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.yaml'))) {
    const { recipe } = await loadRecipe(path.join(folder, name));
    expect([name, JSON.stringify(withEpochs(recipe, 100)) === JSON.stringify(recipe)]).toEqual([name, true]);
  }
});
