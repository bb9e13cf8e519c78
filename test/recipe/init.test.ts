import { recipeText } from '../../src/recipe/init.ts';

it('a recipe for numbers over time does not advise what turns pictures', () => {
  const answers = { type: 'npz', train: 'x.npy', labels: 'y.npy', test: '', testLabels: '', label: '', teacher: '', model: 'ds-cnn' }; // prettier-ignore
  expect(recipeText(answers)).toContain('flip');
  expect(recipeText({ ...answers, form: { sample: 'series' } })).not.toContain('flip');
});
